"""What Pillow raises on damaged files, and what people are told of it.

Its decoders raise many kinds of exception. All of them become `UnreadableImage`, but
only around calls into Pillow, so that our own mistakes are not taken for a bad photo.
"""

import contextlib
import re
import struct
import zlib
from collections.abc import Iterator

from PIL import Image, UnidentifiedImageError

from tagger.errors import UnreadableImage
from tagger.imaging.formats import sniff
from tagger.imaging.source import Malformed, Source, reason_for

# What decoders were seen to raise on files that are damaged or made to hurt.
DECODER_FAULTS = (
    OSError,
    SyntaxError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    EOFError,
    BufferError,
    MemoryError,
    RuntimeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)

_CUT_SHORT = re.compile(r"truncat|end of file|too short|premature|eof", re.IGNORECASE)


@contextlib.contextmanager
def faults_named(path: bytes, source: Source | None = None) -> Iterator[None]:
    """Turn what Pillow raises into `UnreadableImage`, with a reason for people."""
    try:
        yield
    except DECODER_FAULTS as fault:
        raise UnreadableImage(path, _reason(fault, source)) from fault


def _reason(fault: BaseException, source: Source | None) -> str:
    if isinstance(fault, Image.DecompressionBombError):
        found = re.search(r"\((\d+) pixels\)", str(fault))
        megapixels = f"{int(found[1]) / 1_000_000:,.0f}" if found else "far too many"
        return f"it has {megapixels} megapixels, more than can be decoded"
    if isinstance(fault, MemoryError):
        return "there is not enough memory to decode it"
    if isinstance(fault, UnidentifiedImageError) and source is not None:
        return _unidentified(source)
    if isinstance(fault, OSError) and fault.errno:
        return reason_for(fault)
    if isinstance(fault, EOFError) or _CUT_SHORT.search(str(fault)):
        return "the file is cut short: its picture data end too early"
    return "its picture data are damaged or of an unknown kind"


def _unidentified(source: Source) -> str:
    try:
        head = source.read(0, min(64, source.size_bytes))
    except (OSError, Malformed):
        return "the file cannot be read"
    if known := sniff(head):
        return f"it begins as {known} does, but its header is damaged"
    if not any(head):
        return "the file holds only zeros, as after a copy that failed"
    return "it is not a picture in a format this program reads"
