"""One photo by its id: where its bytes are, its thumbnail, what a browser can show.

Files are opened by id only, and the path comes from the tracking database as bytes, so
no request can name a file; `opening` sees to it that no link at the path does.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Protocol

from tagger.errors import DataError, ImageError
from tagger.imaging.identity import identity, thumbnail_version
from tagger.imaging.render import browser_jpeg
from tagger.imaging.thumbnails import make_thumbnail
from tagger.records import ImageSnapshot
from tagger.tracking import snapshots
from tagger.web import opening
from tagger.web.opening import NoPicture
from tagger.web.runtime import Runtime

LARGEST_ID = 2**63 - 1
BROWSER_SIDE_PX = 3840

log = logging.getLogger(__name__)


class Listed(Protocol):
    """An image as the catalogue lists it: what its thumbnail's version is made of."""

    @property
    def id(self) -> int: ...
    @property
    def identity(self) -> str | None: ...
    @property
    def orientation(self) -> int: ...


def thumbnail_url(image: Listed | ImageSnapshot) -> str | None:
    """Where the browser gets the thumbnail; None before the photo was looked at."""
    version = version_of(image)
    return None if version is None else f"/thumbnails/{image.id}.jpg?v={version}"


def thumbnail_of(
    image_id: int, identity_: str | None, orientation: int | None
) -> str | None:
    """The same, of what tracking knows of a photo."""
    if identity_ is None:
        return None
    version = thumbnail_version(identity_, orientation or 1)
    return f"/thumbnails/{image_id}.jpg?v={version}"


def original_url(image_id: int) -> str:
    """Where the browser gets the file itself, as a download."""
    return f"/api/images/{image_id}/original"


def browser_url(image_id: int) -> str:
    """Where the browser gets the whole picture in a format it can show."""
    return f"{original_url(image_id)}?view=browser"


def find(opened: Runtime, image_id: int) -> ImageSnapshot | None:
    """The image as tracking knows it now."""
    if not 0 < image_id <= LARGEST_ID:
        return None
    found = snapshots.images(opened.db, [image_id])
    return found[0] if found else None


def version_of(image: Listed | ImageSnapshot) -> str | None:
    """The version its thumbnail has now; None before the photo was looked at."""
    if image.identity is None:
        return None
    if not isinstance(image, ImageSnapshot):
        return thumbnail_version(image.identity, image.orientation)
    orientation = image.facts.orientation if image.facts is not None else 1
    return thumbnail_version(image.identity, orientation)


def stored(opened: Runtime, image: ImageSnapshot) -> bytes | None:
    """The thumbnail if it is there."""
    version = version_of(image)
    return None if version is None else opened.thumbnails.read(version)


def thumbnail(opened: Runtime, image: ImageSnapshot) -> bytes:
    """The thumbnail, made now if it is not there and the file can be read.

    Raises `NoPicture`. A file whose picture is another by now gets none until the
    tagger has looked at it again.
    """
    version = version_of(image)
    if version is None:
        raise NoPicture("This photo was not looked at yet.")
    jpeg = opened.thumbnails.read(version)
    return _make(opened, image, version) if jpeg is None else jpeg


def _make(opened: Runtime, image: ImageSnapshot, version: str) -> bytes:
    limit = opened.config.tagger.max_megapixels
    side_px = opened.config.model.image_side_px
    try:
        with _as_looked_at(opened, image) as file:
            jpeg = make_thumbnail(
                image.path, side_px=side_px, max_megapixels=limit, file=file
            )
    except (ImageError, OSError) as error:
        raise NoPicture(f"No thumbnail can be made: {error}") from error
    try:
        opened.thumbnails.save(version, jpeg)
    except DataError as error:
        log.warning("%s", error)  # it can be shown all the same
    return jpeg


def browser_rendering(opened: Runtime, image: ImageSnapshot) -> bytes:
    """A JPEG of a picture that browsers cannot show. Raises `NoPicture`."""
    try:
        with _as_looked_at(opened, image) as file:
            return browser_jpeg(
                image.path,
                max_side_px=BROWSER_SIDE_PX,
                max_megapixels=opened.config.tagger.max_megapixels,
                file=file,
            )
    except (ImageError, OSError) as error:
        raise NoPicture(f"It cannot be shown: {error}") from error


@contextmanager
def _as_looked_at(opened: Runtime, image: ImageSnapshot) -> Iterator[BinaryIO]:
    """The file, if its picture is the one that was looked at, in a child process.

    Nothing else is decoded here, where a decoder that hangs or crashes takes the app.
    """
    if image.identity is None:
        raise NoPicture("This photo was not looked at yet.")
    limit = opened.config.tagger.max_megapixels
    with opening.photo(opened, image) as file:
        if identity(image.path, max_megapixels=limit, file=file) != image.identity:
            raise NoPicture("The file has changed and waits to be looked at again.")
        yield file
