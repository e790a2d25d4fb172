"""Which files are photos: by name when folders are searched, by content when opened.

The extension only decides whether a file is looked at; the first bytes decide the
decoder. Decoders that are not listed here are never offered a file.

RAW files are what cameras record before any picture is made of it. Each maker has a
format, and most are TIFF inside, so `rawkind` looks deeper than the first bytes.
"""

import os

# Canon, Canon since 2018, Nikon, Nikon Coolpix, Sony, Adobe and many phones, Fujifilm,
# Olympus, Panasonic and Leica, Pentax, Samsung, and early Panasonic and Leica.
RAW_EXTENSIONS = frozenset(
    {
        *(".cr2", ".cr3", ".nef", ".nrw", ".arw", ".dng"),
        *(".raf", ".orf", ".rw2", ".pef", ".srw", ".raw"),
    }
)

EXTENSIONS = RAW_EXTENSIONS | frozenset(
    {
        ".jpg",
        ".jpeg",
        ".png",
        ".gif",
        ".bmp",
        ".heic",
        ".heif",
        ".avif",
        ".tif",
        ".tiff",
        ".webp",
    }
)

# The multi-picture files of some cameras (MPO) come through the JPEG decoder. AVIF
# stands before HEIF: both take the neutral brand `mif1`, and only the first says at
# once when the content is the other's.
PILLOW_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "AVIF", "HEIF", "BMP")

# RAW formats whose first bytes say so.
RAW_HEADS = frozenset({"CR2", "CR3", "RAF", "ORF", "RW2"})

# What browsers show as it is; the rest needs `render.browser_jpeg`.
BROWSER_FORMATS = frozenset({"JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP"})

_MAGIC = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0\x10\0\0\0CR", "CR2"),
    (b"IIRO", "ORF"),
    (b"IIRS", "ORF"),
    (b"MMOR", "ORF"),
    (b"IIU\0", "RW2"),
    (b"FUJIFILMCCD-RAW", "RAF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"BM", "BMP"),
)
_BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), "AVIF"),
    **dict.fromkeys(
        (
            *(b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs"),
            *(b"mif1", b"msf1"),
        ),
        "HEIC",
    ),
    b"crx ": "CR3",
}

_OUR_NAMES = {"MPO": "JPEG", "HEIF": "HEIC"}

# The name `.raw` promises nothing: several makers have used it.
_EXPECTED = {
    **{ending: ending[1:].upper() for ending in RAW_EXTENSIONS - {".raw"}},
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".gif": "GIF",
    ".bmp": "BMP",
    ".heic": "HEIC",
    ".heif": "HEIC",
    ".avif": "AVIF",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
}


def is_photo_name(name: bytes | str) -> bool:
    """Whether a file of this name or path is looked at."""
    return extension(name) in EXTENSIONS


def is_raw(name: bytes | str) -> bool:
    """Whether a file of this name or path is a RAW file, as far as names tell."""
    return extension(name) in RAW_EXTENSIONS


def extension(name: bytes | str) -> str:
    """The extension in lower case with its dot, or an empty text."""
    return os.path.splitext(os.fsencode(name))[1].decode("ascii", "replace").lower()


def format_name(pillow_format: str | None) -> str:
    """Our name for what Pillow calls a format: JPEG, PNG, HEIC, AVIF, TIFF, …"""
    return _OUR_NAMES.get(pillow_format or "", pillow_format or "")


def sniff(head: bytes) -> str | None:
    """The format that the first bytes of a file (16 are enough) announce."""
    for magic, format in _MAGIC:
        if head.startswith(magic):
            return format
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12])
    return None


def misnamed(path: bytes, format: str) -> str | None:
    """A remark when the name promises another format than the content is."""
    ending = extension(path)
    if _EXPECTED.get(ending) in (None, format):
        return None
    return f"the name ends in {ending}, but the file is a {format} picture"
