"""The sensor data of RAW files, as they are coded: what their identity is made of.

Not decoded, for three reasons: it would take a second a photo, it would change with
the version of the decoder, and a maker's secrets are not needed to compare bytes.
Previews do not count, nor does what programs write beside them, so a DNG keeps its
identity when somebody adds words to it. All raise `Malformed` when unsure.
"""

from collections import deque

from tagger.imaging.digest import StreamDigest
from tagger.imaging.isobmff import isobmff
from tagger.imaging.source import Malformed, Source
from tagger.imaging.tiff import (
    DECIDING,
    MAX_PAGES,
    PICTURE_DATA,
    Layout,
    directory,
    picture,
)

_SUBFILE_TYPE, _BELOW = 254, 330
_REDUCED = 1  # the bit that marks previews
_MOSAIC = (33421, 33422)  # its size, and which filter stands where
_WANTED = {*DECIDING, *_MOSAIC, *PICTURE_DATA, _SUBFILE_TYPE, _BELOW}
_RAF_MOSAIC_AT, _RAF_MOSAIC_LENGTH_AT = 100, 104


def sensor_identity(source: Source, format: str) -> str:
    """`d1:` TIFF inside, `c1:` CR3, `f1:` RAF; `r1:`, the whole file, of all others.

    `r1` also stands for a file that is cut short or damaged.
    """
    prefix, read = _READERS.get(format, ("d1", mosaics))
    digest = StreamDigest(source)
    try:
        read(source, digest)
    except Malformed:
        prefix, digest = "r1", StreamDigest(source)
        digest.range(b"file", 0, source.size_bytes)
    return f"{prefix}:{digest.hex()}"


def is_raw_identity(identity: str) -> bool:
    """Whether an identity is a RAW file's, which nobody may write into.

    It is surer than the name: a RAW file may be called `.tif`.
    """
    return identity.startswith(("d1:", "c1:", "f1:", "r1:"))


def is_proven_whole(identity: str) -> bool:
    """Whether making this identity has shown that no sensor data are missing."""
    return not identity.startswith("r1:")


def mosaics(source: Source, digest: StreamDigest) -> None:
    """Every full-size picture of a TIFF, in the main chain and below."""
    layout = Layout.of(source)
    waiting = deque([layout.first_directory(source)])
    seen, pictures = {0}, 0
    while waiting:
        at = waiting.popleft()
        if at in seen:
            continue
        if len(seen) > MAX_PAGES:
            raise Malformed("has too many directories")
        seen.add(at)
        values, following = directory(source, digest, layout, at, _WANTED)
        waiting.extend((following, *values.get(_BELOW, ())))
        is_reduced = bool(values.get(_SUBFILE_TYPE, (0,))[0] & _REDUCED)
        if not is_reduced and not values.keys().isdisjoint(PICTURE_DATA):
            picture(digest, values, (*DECIDING, *_MOSAIC))
            pictures += 1
    if not pictures:
        raise Malformed("has no picture data")


def _raf(source: Source, digest: StreamDigest) -> None:
    """Fujifilm's own container: its header says where the mosaic is."""
    offset = source.integer(_RAF_MOSAIC_AT, 4)
    length = source.integer(_RAF_MOSAIC_LENGTH_AT, 4)
    if not length:
        raise Malformed("has no picture data")
    digest.range(b"mosaic", offset, length)


_READERS = {"CR3": ("c1", isobmff), "RAF": ("f1", _raf)}
