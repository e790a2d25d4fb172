"""Stars: the rating that a person, or a camera, has put into a photo's files.

It is read and shown, and never written: XMP's `xmp:Rating` is 1 to 5, -1 for a photo
that was rejected and 0 for one without a rating; Windows keeps a copy in EXIF.
"""

from collections.abc import Iterable

from tagger.pipeline.metadata import fields
from tagger.pipeline.metadata.reading import Dump
from tagger.records import REJECTED, STARS


def rating(dumps: Iterable[Dump]) -> int | None:
    """The first rating said in these files; None if there is none, or a senseless one.

    A file that says 0 says that there is none, also where another file has one.
    """
    for dump in dumps:
        for name in (fields.RATING, fields.EXIF_RATING):
            text = dump.text(name)
            if text is not None and (stars := _stars(text)) is not None:
                return stars or None
    return None


def _stars(text: str) -> int | None:
    """Cameras and programs write `5`, `5.0` and `3.5`, which counts as three."""
    try:
        number = float(text)
    except ValueError:
        return None
    return int(number) if REJECTED <= number <= STARS else None
