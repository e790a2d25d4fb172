"""Whether a finished temporary holds what was intended, and lost nothing else.

Everything exiftool sees is compared before and after, and for JPEG, PNG and WebP also
every byte outside the blocks that exiftool had to rewrite. What may differ is listed
here; anything else means that the temporary is thrown away.
"""

import os
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from mmap import PROT_READ, mmap
from typing import BinaryIO
from xml.sax.saxutils import escape

from blake3 import blake3

from tagger.pipeline.metadata import fields
from tagger.pipeline.metadata.plans import Plan
from tagger.pipeline.metadata.reading import Dump

# About the file in the file system, or about exiftool; not in the file.
_OUTSIDE = re.compile(r"(System|ExifTool|Composite):")

# Places within the file. They may hold another number, but may not be gone.
_PLACES = re.compile(r"(Offsets?|Start|QuickTime:MediaDataSize)$")

# What exiftool brings up to date by itself when it writes the fields we ask for.
FOLLOWING = frozenset(
    {
        fields.CURRENT_IPTC_DIGEST,
        fields.IPTC_CHARSET,
        fields.IPTC_DIGEST,
        "File:FileType",
        "File:FileTypeExtension",
        "GIF:GIFVersion",
        "RIFF:WebP_Flags",
        fields.XMP_TOOLKIT,
        "XMP-xmpNote:HasExtendedXMP",
    }
)
# Told about the file as a whole. They may change too, and are of interest to an undo.
_ASIDE = frozenset(
    {"ExifTool:Warning", "QuickTime:MediaDataSize", fields.CURRENT_IPTC_DIGEST}
)
FOLLOWS = FOLLOWING | _ASIDE | {fields.BYTE_ORDER}

# How much smaller a file may become without a reason that can be seen: exiftool leaves
# out gaps in EXIF and writes XMP in fewer lines. More may be data of the camera's.
_GAPS_BYTES = 16 << 10
_AROUND_TEXT_BYTES = 64
_XMP_PADDING = re.compile(rb"\s{64,}<\?xpacket end")

_EXIF_OR_XMP, _IPTC, _APP2 = 0xE1, 0xED, 0xE2
# Standalone markers, and the start of the scan, after which nothing is touched.
_ENDS_HEAD = {0x00, 0x01, *range(0xD0, 0xDB)}
_PNG_METADATA = {b"tEXt", b"iTXt", b"zTXt", b"eXIf", b"zxIf"}
_WEBP_METADATA = {b"EXIF", b"XMP ", b"VP8X"}


def differences(before: Dump, after: Dump, plan: Plan) -> list[str]:
    """The fields that are not as intended; none if all is well."""
    wrong = [name for name in plan.touched if not _is_done(before, after, plan, name)]
    return sorted([*wrong, *lost(before, after, besides=plan.touched)])


def lost(before: Dump, after: Dump, *, besides: Collection[str]) -> list[str]:
    """The fields, besides some, that did not come through a write as they were."""
    return [
        name
        for name, texts in before.values.items()
        if name not in besides
        and name not in FOLLOWING
        and not _OUTSIDE.match(name)
        and not _is_kept(name, texts, after.all(name))
    ]


def changed_fields(before: Dump, after: Dump) -> list[str]:
    """Every field inside the file that a write altered, also those not asked for.

    And the byte order, though unaltered: it tells that there was an EXIF block. Should
    that have been empty, it goes when our fields do.
    """
    altered = {
        name
        for name in inside(before) | inside(after) | _ASIDE
        if before.all(name) != after.all(name)
    }
    return sorted(altered | ({fields.BYTE_ORDER} & before.values.keys()))


def inside(dump: Dump) -> set[str]:
    """The fields that stand in the file itself, but for places within it."""
    return {
        name
        for name in dump.values
        if not _OUTSIDE.match(name)
        and not _PLACES.search(name)
        and not name.startswith("File:")
    }


def unexplained_loss(path: bytes, copy: bytes, before: Dump, after: Dump) -> int:
    """By how many bytes a copy is smaller without a reason; 0 if it is all right.

    Some cameras hide data in the EXIF block where exiftool does not see it: it would
    be lost with no field missing.
    """
    smaller_bytes = os.path.getsize(path) - os.path.getsize(copy) - _GAPS_BYTES
    if smaller_bytes <= 0:
        return 0
    smaller_bytes -= max(0, _text_bytes(before) - _text_bytes(after))
    if smaller_bytes > 0:
        with open(path, "rb") as file, mmap(file.fileno(), 0, prot=PROT_READ) as data:
            smaller_bytes -= sum(len(gap[0]) for gap in _XMP_PADDING.finditer(data))
    return max(0, smaller_bytes)


def _text_bytes(dump: Dump) -> int:
    """About how many bytes texts take: twice their own, as in UTF-16, and XML's."""
    return sum(
        2 * len(escape(text).encode("utf-8", "surrogatepass")) + _AROUND_TEXT_BYTES
        for name in inside(dump)
        for text in dump.all(name)
    )


def _is_kept(name: str, texts: Sequence[str], now: Sequence[str]) -> bool:
    """Whether a field we did not ask for came through."""
    if _PLACES.search(name):
        return len(now) == len(texts)
    if name.startswith("RIFF:"):
        # An extended WebP says its size once more than a simple one.
        return {*texts} == {*now}
    return now == texts


def _is_done(before: Dump, after: Dump, plan: Plan, name: str) -> bool:
    now = after.all(name)
    if name in plan.put:
        return now == ((plan.put[name],) if plan.put[name] else ())
    if name in plan.lists:
        return now == plan.lists[name]
    gone = plan.remove.get(name, ())
    kept = [text for text in before.all(name) if text and text not in gone]
    added = plan.add.get(name, ())
    # Where exiftool puts a new entry is its business; the person's keep their order.
    theirs = iter(now)
    return Counter(now) == Counter([*kept, *added]) and all(
        text in theirs for text in kept
    )


def fixed_parts(path: bytes, format: str) -> str:
    """A hash of all that exiftool has no reason to touch, where we know the format."""
    walk = {
        "JPEG": _jpeg_parts,
        "PNG": _png_parts,
        "APNG": _png_parts,
        "WEBP": _webp_parts,
        "Extended WEBP": _webp_parts,
    }.get(format)
    digest = blake3()
    if walk is not None:
        with open(path, "rb") as file:
            for offset, length in walk(file):
                file.seek(offset)
                digest.update(file.read(length))
    return digest.hexdigest()


_TO_THE_END = -1


def _jpeg_parts(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """Every segment but EXIF, XMP, IPTC and MPF's table; all from the scan on."""
    position = 2
    while True:
        file.seek(position)
        head = file.read(8)
        if len(head) < 4 or head[0] != 0xFF or head[1] in _ENDS_HEAD:
            yield position, _TO_THE_END
            return
        if head[1] == 0xFF:
            position += 1
            continue
        length = 2 + int.from_bytes(head[2:4], "big")
        is_table = head[1] == _APP2 and head[4:] == b"MPF\0"
        if head[1] not in (_EXIF_OR_XMP, _IPTC) and not is_table:
            yield position, length
        position += length


def _png_chunks(file: BinaryIO) -> Iterator[tuple[int, int, bytes]]:
    """Position, whole length and kind of each chunk; last, of kind `b""`, the rest."""
    position, kind = 8, b""
    while kind != b"IEND" and len(head := _at(file, position, 8)) == 8:
        length, kind = 12 + int.from_bytes(head[:4], "big"), head[4:]
        yield position, length, kind
        position += length
    yield position, _TO_THE_END, b""


def _png_parts(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """Every chunk that is not text or EXIF, and what follows the last."""
    for position, length, kind in _png_chunks(file):
        if kind not in _PNG_METADATA:
            yield position, length


def has_late_text(path: bytes) -> bool:
    """Whether a PNG has text after its picture: with `-fast`, exiftool doubles it."""
    with open(path, "rb") as file:
        kinds = [kind for _, _, kind in _png_chunks(file)]
    return b"IDAT" in kinds and bool(
        _PNG_METADATA.intersection(kinds[kinds.index(b"IDAT") :])
    )


def _webp_parts(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """Every chunk that is not EXIF, XMP or the list of what is there."""
    position = 12
    end = 8 + int.from_bytes(_at(file, 4, 4), "little")
    while position < end and len(head := _at(file, position, 8)) == 8:
        length = 8 + int.from_bytes(head[4:], "little")
        if head[:4] not in _WEBP_METADATA:
            yield position, length
        position += length + length % 2
    yield end, _TO_THE_END


def _at(file: BinaryIO, position: int, length: int) -> bytes:
    file.seek(position)
    return file.read(length)
