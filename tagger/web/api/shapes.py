"""From the program's records to the shapes of the API."""

from dataclasses import asdict
from pathlib import Path

from tagger.catalogue.finding import Found
from tagger.catalogue.questions import Card
from tagger.errors import shown
from tagger.records import (
    Cost,
    Folder,
    ImageSnapshot,
    Watching,
    WriteMode,
)
from tagger.tracking.usable import mirror_tree
from tagger.web import pictures
from tagger.web.api.models import (
    CostOut,
    FolderOut,
    ImageDetail,
    ImageOut,
    ImagePage,
    SaidTag,
    TagOut,
    WatchingOut,
)


def folder(
    known: Folder, common_mirror: Path, watching: Watching | None = None
) -> FolderOut:
    is_mirrored = known.write_mode is WriteMode.MIRROR
    mirror = shown(mirror_tree(known, common_mirror)) if is_mirrored else None
    return FolderOut(
        id=known.id,
        path=shown(known.path),
        recursive=known.recursive,
        active=known.active,
        write_mode=known.write_mode,
        mirror=mirror,
        added_at=known.added_at,
        last_scan_at=known.last_scan_at,
        offline=known.offline,
        watching=WatchingOut.model_validate(asdict(watching)) if watching else None,
        review=known.review,
        servers=None if known.servers is None else list(known.servers),
        hours=known.hours,
        scan_interval_min=known.scan_interval_min,
    )


def image_page(found: Found) -> ImagePage:
    page = found.page
    return ImagePage(
        query=found.wanted.query,
        images=[card(one) for one in page.images],
        total=page.total,
        next=page.next,
        previous=page.previous,
    )


def card(card: Card) -> ImageOut:
    """A photo as it stands in a list."""
    return ImageOut(
        id=card.id,
        name=card.name,
        path=card.shown_path,
        folder_id=card.folder_id,
        description=card.description,
        tags=[
            TagOut(id=tag_id, name=name)
            for tag_id, name in zip(card.tag_ids, card.tags, strict=True)
        ],
        state=card.state,
        taken_at=card.taken_at,
        width_px=card.width_px,
        height_px=card.height_px,
        thumbnail=pictures.thumbnail_url(card),
    )


def image_detail(image: ImageSnapshot, cost: Cost | None) -> ImageDetail:
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
        quality=image.quality,
        rating=image.rating,
        taken_at=facts.taken_at if facts else None,
        camera=facts.camera if facts else None,
        lens=facts.lens if facts else None,
        gps=facts.gps if facts else None,
        model=image.model,
        backend=image.backend,
        server=image.server,
        seconds=image.seconds,
        cost=_cost(cost) if cost is not None else None,
        answered_at=image.answered_at,
        added_at=image.added_at,
        written_mode=image.written_mode,
        written_at=image.written_at,
        thumbnail=pictures.thumbnail_url(image),
        original=pictures.original_url(image.id),
    )


def _cost(cost: Cost) -> CostOut:
    return CostOut(**{name: getattr(cost, name) for name in CostOut.model_fields})
