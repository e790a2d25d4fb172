"""Rebuild: catalogue, search index and thumbnails made again from the two truths."""

import logging
from collections.abc import Callable

from tagger.catalogue import intake
from tagger.errors import shown
from tagger.records import ImageSnapshot, ImageState
from tagger.tracking import snapshots, status
from tagger.web import pictures
from tagger.web.opening import NoPicture
from tagger.web.runtime import Runtime

Progress = Callable[[int, int], None]

_PAGE = 500

log = logging.getLogger(__name__)


def everything(opened: Runtime, progress: Progress | None = None) -> None:
    """Make all that is derived anew.

    `progress` gets photos done and photos in all, once through for the catalogue with
    its search index and once for the thumbnails.
    """
    intake.rebuild(opened.catalogue, opened.db, progress)
    thumbnails(opened, progress)


def thumbnails(opened: Runtime, progress: Progress | None = None) -> None:
    """Make the thumbnails that are missing; a photo out of reach is passed over."""
    opened.thumbnails.remove_stale()
    total, done, last = status.read(opened.db).total, 0, 0
    while images := snapshots.after(opened.db, last, limit=_PAGE):
        for image in images:
            done += 1
            if image.state is not ImageState.MISSING and pictures.version_of(image):
                _see_to(opened, image)
            if progress is not None:
                progress(done, max(done, total))
        last = images[-1].id


def _see_to(opened: Runtime, image: ImageSnapshot) -> None:
    try:
        pictures.thumbnail(opened, image)
    except NoPicture as error:
        log.info("%s: %s", shown(image.path), error)
