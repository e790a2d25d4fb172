"""Which fields carry a description or keywords, in which formats, and their limits.

Names are ExifTool's, with the group of family 1. XMP holds any text. The others are
copies for older readers and hold less: `copy_of` tells what a field can keep of a text,
which is also how a shortened copy is recognised when the file is read again.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tagger.texts import holdable

SUBJECT = "XMP-dc:Subject"
TAGS_LIST = "XMP-digiKam:TagsList"
HIERARCHY = "XMP-lr:HierarchicalSubject"
IPTC_KEYWORDS = "IPTC:Keywords"
XP_KEYWORDS = "IFD0:XPKeywords"
PNG_KEYWORDS = "PNG:Keywords"

RATING = "XMP-xmp:Rating"
EXIF_RATING = "IFD0:Rating"

XMP_DESCRIPTION = "XMP-dc:Description"
EXIF_DESCRIPTION = "IFD0:ImageDescription"
IPTC_CAPTION = "IPTC:Caption-Abstract"
PNG_DESCRIPTION = "PNG:Description"
USER_COMMENT = "ExifIFD:UserComment"

IPTC_CHARSET = "IPTC:CodedCharacterSet"
IPTC_DIGEST = "Photoshop:IPTCDigest"
CURRENT_IPTC_DIGEST = "File:CurrentIPTCDigest"

XMP_TOOLKIT = "XMP-x:XMPToolkit"
SIDECAR_FOR = "XMP-photoshop:SidecarForExtension"
# Whether there is an EXIF block, even one without a field.
BYTE_ORDER = "File:ExifByteOrder"
WEBP_FLAGS = "RIFF:WebP_Flags"
# In the record of a write: whether the file itself was there.
FILE_ITSELF = "File:FileType"

IPTC_KEYWORD_BYTES = 64
IPTC_CAPTION_BYTES = 2000
# An EXIF or IPTC block of a JPEG has 64 kB for everything in it.
BLOCK_BYTES = 16_000

# What exiftool puts into a block when it makes one, and deletes again with the block
# when nothing else is left in it. First in each row is one that can be held on to.
BLOCK_DEFAULTS = (
    (
        "IFD0:YCbCrPositioning",
        "IFD0:ResolutionUnit",
        "IFD0:XResolution",
        "IFD0:YResolution",
    ),
    (
        "ExifIFD:ExifVersion",
        "ExifIFD:FlashpixVersion",
        "ExifIFD:ColorSpace",
        "ExifIFD:ComponentsConfiguration",
    ),
    ("IPTC:EnvelopeRecordVersion",),
    ("IPTC:ApplicationRecordVersion",),
)

# What cameras write into ImageDescription by themselves; nobody's words.
CAMERA_FILLERS = frozenset(
    {
        "ASCII",
        "default",
        "DIGITAL CAMERA",
        "Exif_JPEG_PICTURE",
        "KONICA MINOLTA DIGITAL CAMERA",
        "MINOLTA DIGITAL CAMERA",
        "OLYMPUS DIGITAL CAMERA",
        "SAMSUNG",
        "SAMSUNG CAMERA PICTURES",
        "SONY DSC",
        "<Digimax S600 / Kenox S600>",
    }
)


@dataclass(frozen=True, slots=True)
class Layout:
    """The fields written into one format, XMP's aside, which all have."""

    exif: bool = False
    iptc: bool = False
    png: bool = False
    sidecar: bool = False

    @property
    def keyword_lists(self) -> tuple[str, ...]:
        """Fields with one entry a keyword."""
        lists = (SUBJECT, TAGS_LIST)
        return (*lists, IPTC_KEYWORDS) if self.iptc else lists

    @property
    def keyword_lines(self) -> tuple[str, ...]:
        """Fields with all keywords in one text."""
        return ((XP_KEYWORDS,) if self.iptc else ()) + (
            (PNG_KEYWORDS,) if self.png else ()
        )

    @property
    def descriptions(self) -> tuple[str, ...]:
        return (
            (XMP_DESCRIPTION,)
            + ((EXIF_DESCRIPTION,) if self.exif else ())
            + ((IPTC_CAPTION,) if self.iptc else ())
            + ((PNG_DESCRIPTION,) if self.png else ())
        )


LAYOUTS = {
    "JPEG": Layout(exif=True, iptc=True),
    "TIFF": Layout(exif=True, iptc=True),
    "PNG": Layout(exif=True, png=True),
    "APNG": Layout(exif=True, png=True),
    "HEIC": Layout(exif=True),
    "HEIF": Layout(exif=True),
    "AVIF": Layout(exif=True),
    "WEBP": Layout(exif=True),
    "Extended WEBP": Layout(exif=True),
    "GIF": Layout(),
}

SIDECAR = Layout(sidecar=True)


clean = holdable


def same(text: str) -> str:
    """A form equal for two spellings of one word: case, Unicode form, spacing."""
    folded = unicodedata.normalize("NFC", clean(text)).casefold()
    return " ".join(unicodedata.normalize("NFC", folded).split())


def unique(entries: Iterable[str]) -> list[str]:
    """The entries that say something, each word once, in its first spelling."""
    first: dict[str, str] = {}
    for entry in entries:
        first.setdefault(same(entry), entry)
    first.pop("", None)
    return list(first.values())


def is_filler(text: str) -> bool:
    """Whether a description is empty or a camera's own."""
    return not text.strip() or text.strip() in CAMERA_FILLERS


def shortened(text: str, limit_bytes: int) -> str:
    """The text up to a number of UTF-8 bytes, never ending inside a character."""
    return text.encode()[:limit_bytes].decode("utf-8", "ignore")


def _in_plane(text: str) -> str:
    """Without what exiftool cuts to a half when it writes UTF-16."""
    return "".join(char for char in text if ord(char) < 0x10000)


def _xp_word(text: str) -> str:
    return _in_plane(text).replace(";", ",").strip()


def _png_word(text: str) -> str:
    return re.sub("[;,]", " ", text).strip()


_COPIES: dict[str, Callable[[str], str]] = {
    IPTC_KEYWORDS: lambda text: shortened(text, IPTC_KEYWORD_BYTES),
    IPTC_CAPTION: lambda text: shortened(text, IPTC_CAPTION_BYTES),
    XP_KEYWORDS: _xp_word,
    PNG_KEYWORDS: _png_word,
    EXIF_DESCRIPTION: lambda text: shortened(text, BLOCK_BYTES),
    USER_COMMENT: lambda text: shortened(_in_plane(text), BLOCK_BYTES).rstrip(" "),
}


def copy_of(text: str, field: str) -> str:
    """What `field` can hold of one clean keyword or description; perhaps nothing."""
    copy = _COPIES.get(field)
    return copy(text) if copy else text
