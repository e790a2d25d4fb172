"""What stands in a file, as exact text.

exiftool's JSON turns the keyword 2024 into a number and True into true. Its XML does
neither, tells a list of one from a text, and encodes what is not text; so that is read.
A `Dump` holds everything exiftool sees in a file: words are taken from it, and it is
what a write is compared with afterwards.
"""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree

from tagger.pipeline.metadata import fields

EVERYTHING = [b"-X", b"-a", b"-G1", b"-n", b"-b", b"-struct", b"-e"]
WORDS_ONLY = [
    *EVERYTHING,
    b"-File:FileType",
    b"-XMP-dc:all",
    b"-XMP-imagetagger:all",
    *(
        b"-" + name.encode()
        for name in (
            fields.TAGS_LIST,
            fields.HIERARCHY,
            fields.IPTC_KEYWORDS,
            fields.IPTC_CAPTION,
            fields.IPTC_CHARSET,
            fields.XP_KEYWORDS,
            fields.EXIF_DESCRIPTION,
            fields.PNG_KEYWORDS,
            fields.PNG_DESCRIPTION,
            fields.RATING,
            fields.EXIF_RATING,
        )
    ),
]
LONG_BYTES = 4096

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
# An iPhone's notes hold a tag that exiftool calls `0`, which is no name in XML.
_NAME_WITH_DIGIT = re.compile(rb"(</?[\w-]+:)(?=[\d.-])")
_GROUP = re.compile(r"\{http://ns\.exiftool\.org/.*?([^/]+)/1\.0/\}(.+)")


@dataclass(frozen=True, slots=True)
class Dump:
    """The metadata of one file: field name to its texts, in the file's order.

    `raw` names the fields whose value is not plain text: bytes of an unknown encoding,
    control characters, pictures. They can be shown and compared but not written again.
    `repeated` names those that stand in the file more than once.
    """

    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    raw: frozenset[str] = frozenset()
    repeated: frozenset[str] = frozenset()

    def all(self, name: str) -> tuple[str, ...]:
        return self.values.get(name, ())

    def can_put_back(self, name: str) -> bool:
        """Whether a single field, once another text stands in it, can be undone.

        Not if its value is no plain text, or stands there twice, or is an empty text
        of a PNG, which exiftool reads but cannot write.
        """
        empty = name.startswith("PNG:") and self.all(name) == ("",)
        return not empty and name not in self.raw and name not in self.repeated

    def text(self, name: str) -> str | None:
        """The first text of a field, or None if the field does not exist."""
        return next(iter(self.all(name)), None)

    @property
    def format(self) -> str:
        """exiftool's name of the format, judged by content: `JPEG`, `APNG`."""
        return self.text("File:FileType") or "unknown"

    @property
    def error(self) -> str | None:
        """Why exiftool could not read the file, if so."""
        return self.text("ExifTool:Error")


def parse(output: bytes) -> list[Dump]:
    """The dumps of the files one `-X` command was given, in its order.

    Raises `ValueError` if the output is not XML.
    """
    if not output.strip():
        return []
    # An XML parser makes a line feed of a carriage return unless it is written so.
    output = output.replace(b"\r", b"&#13;")
    # Of a text only its markup has a bare `<`, so this meets names alone.
    output = _NAME_WITH_DIGIT.sub(rb"\1_", output)
    try:
        # It is exiftool's own XML, without a DTD; what stands in files is escaped.
        root = ElementTree.fromstring(output)  # nosec B314
    except ElementTree.ParseError as error:
        raise ValueError(f"exiftool's answer is not XML: {error}") from error
    return [_dump(description) for description in root]


def _dump(description: ElementTree.Element) -> Dump:
    values: dict[str, tuple[str, ...]] = {}
    raw, repeated = set(), set()
    for element in description:
        found = _GROUP.fullmatch(element.tag)
        name = f"{found[1]}:{found[2]}" if found else element.tag
        texts = [_text(part) for part in _parts(element)]
        if any(is_raw for _, is_raw in texts):
            raw.add(name)
        if name in values:
            repeated.add(name)
        values[name] = values.get(name, ()) + tuple(text for text, _ in texts)
    return Dump(values, frozenset(raw), frozenset(repeated))


def _parts(element: ElementTree.Element) -> Sequence[ElementTree.Element]:
    """The items of a list, or the element itself."""
    if len(element) == 1 and element[0].tag in {
        _RDF + "Bag",
        _RDF + "Seq",
        _RDF + "Alt",
    }:
        return list(element[0])
    return [element]


def _text(element: ElementTree.Element) -> tuple[str, bool]:
    """One value as text, and whether it is something else than plain text."""
    if len(element):
        return ElementTree.tostring(element, encoding="unicode").strip(), True
    text = element.text or ""
    if not element.get(_RDF + "datatype", "").endswith("base64Binary"):
        return text, False
    data = base64.b64decode(text)
    if len(data) > LONG_BYTES:
        return f"{len(data)} bytes, {hashlib.blake2b(data).hexdigest()}", True
    return _decoded(data), True


def _decoded(data: bytes) -> str:
    """Bytes that exiftool did not take for text, as a person would read them."""
    try:
        # Characters beyond U+FFFF arrive from UTF-16 fields as two halves.
        halves = data.decode("utf-8", "surrogatepass")
        return halves.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def iptc_is_marked(dump: Dump) -> bool:
    """Whether the IPTC block says that its text is UTF-8."""
    return dump.text(fields.IPTC_CHARSET) == "\x1b%G"


def iptc_texts(dump: Dump, name: str) -> tuple[str, ...]:
    """The texts of an IPTC field, also where UTF-8 stands in an unmarked block.

    exiftool reads an unmarked block as Latin-1, as the standard has it, but many
    programs put UTF-8 there without saying so.
    """
    texts = dump.all(name)
    if iptc_is_marked(dump):
        return texts
    return tuple(_as_utf8(text) for text in texts)


def iptc_is_foreign(dump: Dump) -> bool:
    """Whether an unmarked block holds more than ASCII: its encoding is a guess."""
    return not iptc_is_marked(dump) and any(
        name in dump.raw or not "".join(texts).isascii()
        for name, texts in dump.values.items()
        if name.startswith("IPTC:") and name != fields.IPTC_CHARSET
    )


def can_hold(dump: Dump, name: str, text: str) -> bool:
    """False for non-ASCII in an IPTC block whose encoding is the person's secret."""
    iptc = name in (fields.IPTC_KEYWORDS, fields.IPTC_CAPTION)
    return not iptc or text.isascii() or not iptc_is_foreign(dump)


def _as_utf8(text: str) -> str:
    try:
        return b"".join(_latin_byte(char) for char in text).decode("utf-8")
    except UnicodeError:
        return text


def _latin_byte(char: str) -> bytes:
    try:
        return char.encode("cp1252")
    except UnicodeEncodeError:
        return char.encode("latin-1")
