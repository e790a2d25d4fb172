"""Whether a file is RAW, and whose, by what it holds.

Most makers write TIFF: a small picture for the camera's screen in the first directory,
the mosaic of the sensor in one further down. Decoded as TIFF such a file would be that
small picture, so it must be told from a real TIFF, whatever the file is called.
"""

from collections.abc import Mapping

from tagger.imaging.digest import StreamDigest
from tagger.imaging.formats import RAW_HEADS, extension, is_raw, sniff
from tagger.imaging.source import Malformed, Source
from tagger.imaging.tiff import Layout, Numbers, directory

_SUBFILE_TYPE, _COMPRESSION, _PHOTOMETRIC, _BELOW = 254, 259, 262, 330
_DNG_VERSION = 50706
_WANTED = (_SUBFILE_TYPE, _COMPRESSION, _PHOTOMETRIC, _BELOW, _DNG_VERSION)

_FILTER_MOSAIC, _LINEAR_RAW = 32803, 34892
# Compressions of ordinary TIFF: none, fax, LZW, JPEG, Deflate, PackBits.
_PLAIN_COMPRESSIONS = {1, 2, 3, 4, 5, 7, 8, 32773, 32946, 50000}

# Formats that are TIFF inside and that only the name tells apart.
_TIFF_INSIDE = {".nef", ".nrw", ".arw", ".pef", ".srw", ".dng", ".cr2", ".orf"}
_MAX_BELOW = 100


def raw_format(path: bytes, source: Source) -> str | None:
    """CR2, NEF, DNG, … of a RAW file; RAW if only that is sure; None of others."""
    announced = sniff(source.read(0, min(16, source.size_bytes)))
    if announced in RAW_HEADS:
        return announced
    if announced != "TIFF":
        return None
    ending = extension(path)
    named = ending[1:].upper() if ending in _TIFF_INSIDE else "RAW"
    try:
        first, below = _first_directories(source)
    except Malformed:
        return named if is_raw(path) else None
    if _DNG_VERSION in first:
        return "DNG"
    if any(_has_sensor_data(found) for found in (first, *below)):
        return named
    return named if is_raw(path) and not _is_plain(first) else None


def _first_directories(
    source: Source,
) -> tuple[Mapping[int, Numbers], list[Mapping[int, Numbers]]]:
    """The first directory, and those it points down to."""
    layout, count = Layout.of(source), StreamDigest(source)
    at = layout.first_directory(source)
    first, _ = directory(source, count, layout, at, _WANTED)
    places = first.get(_BELOW, ())[:_MAX_BELOW]
    return first, [
        directory(source, count, layout, place, _WANTED)[0] for place in places
    ]


def _has_sensor_data(found: Mapping[int, Numbers]) -> bool:
    return found.get(_PHOTOMETRIC, ())[:1] in ((_FILTER_MOSAIC,), (_LINEAR_RAW,))


def _is_plain(first: Mapping[int, Numbers]) -> bool:
    """Whether the first directory is a picture of its own, not one of something."""
    is_preview = bool(first.get(_SUBFILE_TYPE, (0,))[0] & 1)
    compression = first.get(_COMPRESSION, (1,))[0]
    return (
        not is_preview
        and _BELOW not in first
        and _PHOTOMETRIC in first
        and compression in _PLAIN_COMPRESSIONS
    )
