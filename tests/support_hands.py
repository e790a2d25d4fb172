"""The hands of other programs at a photo's words, and what stands in all fields then.

Each function does to a file what a program of that kind is known to do. It goes through
the exiftool of the tests, so that nothing of the code under test takes part.
"""

import os
import struct
import unicodedata
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support_metadata import all_fields, person_writes

SUBJECT = "XMP-dc:Subject"
TAGS_LIST = "XMP-digiKam:TagsList"
HIERARCHY = "XMP-lr:HierarchicalSubject"
IPTC = "IPTC:Keywords"
WINDOWS = "IFD0:XPKeywords"
PNG_LINE = "PNG:Keywords"
# What the program notes in a file of the words it wrote there.
NOTED = tuple(f"XMP-imagetagger:{name}" for name in ("Tags", "FoundTags", "EditedTags"))
REMOVED = "XMP-imagetagger:RemovedTags"

LISTS = (SUBJECT, TAGS_LIST, HIERARCHY, IPTC)
LINES = (WINDOWS, PNG_LINE)
KEYWORDS = (*LISTS, *LINES)
SEPARATORS = {TAGS_LIST: "/", HIERARCHY: "|"}

DESCRIPTION = "XMP-dc:Description"
CAPTION = "IPTC:Caption-Abstract"
EXIF_DESCRIPTION = "IFD0:ImageDescription"
PNG_DESCRIPTION = "PNG:Description"
DESCRIPTIONS = (DESCRIPTION, CAPTION, EXIF_DESCRIPTION, PNG_DESCRIPTION)

# What `found` tells of a file, by field.
Told = Mapping[str, Sequence[str]]

EVERY = (*KEYWORDS, *DESCRIPTIONS, *NOTED, REMOVED)


def key(word: str) -> str:
    """Equal for two spellings of one word: case, Unicode form, white space."""
    folded = unicodedata.normalize("NFC", word).casefold()
    return " ".join(unicodedata.normalize("NFC", folded).split())


def leaf(name: str, entry: str) -> str:
    """The word of an entry: the last part where a field holds paths."""
    return entry.rpartition(SEPARATORS[name])[2] if name in SEPARATORS else entry


def found(path: Path) -> dict[str, list[str]]:
    """The entries of every keyword field, and every text of a description."""
    if not path.exists():
        return {name: [] for name in EVERY}
    told = all_fields(path, EVERY)
    for name in LINES:
        told[name] = [
            word.strip() for text in told[name] for word in text.split(";") if word
        ]
    return told


def said_in(told: Mapping[str, Sequence[str]]) -> set[str]:
    """The words in any keyword field, as `found` tells them; paths and leaves."""
    return {
        key(form)
        for name in KEYWORDS
        for entry in told[name]
        for form in (entry, leaf(name, entry))
    }


def noted_in(told: Mapping[str, Sequence[str]]) -> set[str]:
    """The words that stood in the file when the program wrote it last."""
    return {key(word) for name in NOTED for word in told[name]}


def add(path: Path, name: str, entry: str) -> bool:
    """Put a keyword into one field, unless it has it; whether it had not."""
    there = found(path)[name]
    if key(entry) in map(key, there):
        return False
    if name in LINES:
        _put_line(path, name, ";".join([*there, entry]))
    elif name == IPTC:
        person_writes(path, "-IPTC:CodedCharacterSet=UTF8", f"-{name}+={entry}")
    else:
        person_writes(path, f"-{name}+={entry}")
    return True


def remove(path: Path, name: str, word: str) -> None:
    """Take a keyword out of one field, also where it is the leaf of a path."""
    there = found(path)[name]
    gone = [e for e in there if key(word) in (key(e), key(leaf(name, e)))]
    if not gone:
        return
    if name in LINES:
        left = ";".join(entry for entry in there if entry not in gone)
        _put_line(path, name, left)
    else:
        person_writes(path, *(f"-{name}-={entry}" for entry in gone))


def _put_line(path: Path, name: str, text: str) -> None:
    """Put a text into a field that holds all keywords; exiftool cannot into a PNG's."""
    if name != PNG_LINE:
        person_writes(path, f"-{name}={text}")
        return
    old, at = path.read_bytes(), 8
    new = [old[:at]]
    while at < len(old):
        length = 12 + int.from_bytes(old[at : at + 4], "big")
        kind, value = old[at + 4 : at + 8], old[at + 8 : at + length - 4]
        if not (kind in (b"tEXt", b"iTXt") and value.startswith(b"Keywords\0")):
            new.append(old[at : at + length])
        if kind == b"IHDR" and text:
            chunk = b"iTXtKeywords\0\0\0\0\0" + text.encode()
            new += [struct.pack(">I", len(chunk) - 4), chunk]
            new.append(struct.pack(">I", zlib.crc32(chunk)))
        at += length
    path.write_bytes(b"".join(new))


def describe(path: Path, names: Sequence[str], text: str) -> None:
    """Put a description into these fields; an empty one takes it out of them."""
    for name in names:
        person_writes(path, f"-{name}={text}")


def strip(path: Path) -> None:
    """Remove all metadata that can be removed."""
    person_writes(path, "-all=")
    for name in (WINDOWS, EXIF_DESCRIPTION):
        if found(path)[name]:
            person_writes(path, f"-{name}=")


def beside(photo: Path) -> Path:
    """The place of a photo's sidecar."""
    return photo.with_name(photo.name + ".xmp")


def states(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Content and time of every file, to see that nothing changes."""
    return {
        os.fspath(path): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
