"""What a RAW file says of the shot, read from its directories without any decoder.

Only the few tags that are wanted are read, each of bounded size, so a hostile file has
nothing to grow. Fujifilm keeps its EXIF in the preview, which is asked where the
directories say nothing.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from PIL import ExifTags, Image

from tagger.imaging.digest import StreamDigest
from tagger.imaging.facts import (
    EXIF_FAULTS,
    camera,
    gps,
    plain_text,
    shot_facts,
    taken_at,
)
from tagger.imaging.isobmff import Box, boxes, only
from tagger.imaging.source import Malformed, Source
from tagger.imaging.tiff import Layout, Numbers, facts_of

Tags = dict[int, Numbers]

_MAKE, _MODEL = ExifTags.Base.Make, ExifTags.Base.Model
_TAKEN, _LENS = ExifTags.Base.DateTimeOriginal, ExifTags.Base.LensModel
_SHOT, _PLACE = ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo
_PLACE_TEXTS = (ExifTags.GPS.GPSLatitudeRef, ExifTags.GPS.GPSLongitudeRef)
_PLACE_ANGLES = (ExifTags.GPS.GPSLatitude, ExifTags.GPS.GPSLongitude)
_WANTED = {_MAKE, _MODEL, _TAKEN, _LENS, _SHOT, _PLACE}
_WANTED_OF_PLACE = {*_PLACE_TEXTS, *_PLACE_ANGLES}

# The box of Canon's own in a CR3, and the TIFF blocks in it: maker, shot, place.
_CANON = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
_CMT_BLOCKS = {b"CMT1": 0, b"CMT2": _SHOT, b"CMT4": _PLACE}


def raw_shot_facts(
    source: Source, format: str, preview: Image.Image | None
) -> dict[str, Any]:
    """`taken_at`, `camera`, `lens` and `gps`, for `records.Facts`; None if not said."""
    try:
        main, place = _canon_tags(source) if format == "CR3" else _tiff_tags(source)
    except Malformed:
        main, place = {}, {}
    found = {
        "taken_at": taken_at(_raw_text(main, _TAKEN)),
        "camera": camera(_raw_text(main, _MAKE), _raw_text(main, _MODEL)),
        "lens": plain_text(_raw_text(main, _LENS)),
        "gps": gps(_place(place)),
    }
    return _completed(found, preview)


def _completed(found: dict[str, Any], preview: Image.Image | None) -> dict[str, Any]:
    """What is missing, from the EXIF of the preview."""
    if preview is None or found["camera"] is not None:
        return found
    try:
        of_preview = shot_facts(preview)
    except EXIF_FAULTS:
        return found
    return {name: value or of_preview[name] for name, value in found.items()}


def _tiff_tags(source: Source) -> tuple[Tags, Tags]:
    """The tags of the first directory and of the shot's, and those of the place."""
    if source.read(0, 2) not in (b"II", b"MM"):
        return {}, {}
    layout, count = Layout.of(source), StreamDigest(source)
    at = layout.first_directory(source)
    main = facts_of(source, count, layout, at, _WANTED)
    for start in main.get(_SHOT, ())[:1]:
        main |= facts_of(source, count, layout, start, {_TAKEN, _LENS})
    place: Tags = {}
    for start in main.get(_PLACE, ())[:1]:
        place = facts_of(source, count, layout, start, _WANTED_OF_PLACE)
    return main, place


def _canon_tags(source: Source) -> tuple[Tags, Tags]:
    """The same of a CR3, where every directory is a TIFF block in a box of its own."""
    main: Tags = {}
    place: Tags = {}
    for box in _canon_boxes(source):
        if box.kind not in _CMT_BLOCKS:
            continue
        block = source.part(box.start, box.end - box.start)
        is_place = _CMT_BLOCKS[box.kind] == _PLACE
        wanted = _WANTED_OF_PLACE if is_place else _WANTED
        layout, count = Layout.of(block), StreamDigest(block)
        at = layout.first_directory(block)
        tags = facts_of(block, count, layout, at, wanted)
        (place if is_place else main).update(tags)
    return main, place


def _canon_boxes(source: Source) -> Iterator[Box]:
    moov = only(source, Box(b"", 0, source.size_bytes), b"moov")
    for box in boxes(source, moov.start, moov.end):
        if box.kind == b"uuid" and source.read(box.start, 16) == _CANON:
            yield from boxes(source, box.start + 16, box.end)


def _raw_text(tags: Tags, tag: int) -> bytes | None:
    return bytes(number & 0xFF for number in tags[tag]) if tag in tags else None


def _place(tags: Tags) -> dict[int, Any]:
    """Texts and angles as `gps` takes them; an angle with a zero below is left out."""
    found: dict[int, Any] = {
        tag: _raw_text(tags, tag) for tag in _PLACE_TEXTS if tag in tags
    }
    for tag in _PLACE_ANGLES:
        pairs = tags.get(tag, ())
        if all(pairs[1::2]):
            found[tag] = [
                Fraction(over, under)
                for over, under in zip(pairs[::2], pairs[1::2], strict=False)
            ]
    return found
