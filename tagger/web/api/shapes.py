"""From the program's records to the shapes of the API."""

from collections.abc import Mapping, Sequence

from tagger.catalogue.questions import Card, Page
from tagger.errors import shown
from tagger.records import Folder, ImageSnapshot, ImageTag
from tagger.web import pictures
from tagger.web.api.models import (
    FolderOut,
    ImageDetail,
    ImageOut,
    ImagePage,
    SaidTag,
    TagOut,
)

Tags = Mapping[int, Sequence[ImageTag]]


def folder(known: Folder) -> FolderOut:
    return FolderOut(
        id=known.id,
        path=shown(known.path),
        recursive=known.recursive,
        active=known.active,
        write_mode=known.write_mode,
        added_at=known.added_at,
        last_scan_at=known.last_scan_at,
        offline=known.offline,
        servers=None if known.servers is None else list(known.servers),
    )


def image_page(page: Page, tags: Tags) -> ImagePage:
    """A page of the catalogue; `tags` are those of each image, with their ids."""
    return ImagePage(
        images=[_card(card, tags.get(card.id, ())) for card in page.images],
        total=page.total,
        next=page.next,
        previous=page.previous,
    )


def _card(card: Card, tags: Sequence[ImageTag]) -> ImageOut:
    return ImageOut(
        id=card.id,
        name=card.name,
        path=card.shown_path,
        folder_id=card.folder_id,
        description=card.description,
        tags=[TagOut(id=tag.tag_id, name=tag.name) for tag in tags],
        state=card.state,
        taken_at=card.taken_at,
        width_px=card.width_px,
        height_px=card.height_px,
        thumbnail=pictures.thumbnail_url(card),
    )


def image_detail(image: ImageSnapshot) -> ImageDetail:
    facts = image.facts
    return ImageDetail(
        id=image.id,
        name=shown(image.path.rsplit(b"/", 1)[-1]),
        path=image.shown_path,
        folder_id=image.folder_id,
        state=image.state,
        reason=image.reason,
        description=image.description,
        description_source=image.description_source,
        text=image.text,
        tags=[
            SaidTag(id=tag.tag_id, name=tag.name, source=tag.source, score=tag.score)
            for tag in image.tags
        ],
        format=facts.format if facts else None,
        size_bytes=image.size_bytes,
        width_px=facts.width_px if facts else None,
        height_px=facts.height_px if facts else None,
        taken_at=facts.taken_at if facts else None,
        camera=facts.camera if facts else None,
        lens=facts.lens if facts else None,
        gps=facts.gps if facts else None,
        model=image.model,
        backend=image.backend,
        server=image.server,
        seconds=image.seconds,
        answered_at=image.answered_at,
        added_at=image.added_at,
        written_mode=image.written_mode,
        written_at=image.written_at,
        thumbnail=pictures.thumbnail_url(image),
        original=pictures.original_url(image.id),
    )
