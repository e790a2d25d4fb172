"""Reasons: why photos are not finished, so grouped that one trouble is one row.

Reasons name files, numbers and what programs answered. Five hundred photos that failed
of one cause differ in nothing else, so those parts are left out to compare them.
"""

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from tagger.errors import shown
from tagger.records import ImageState
from tagger.tracking import changes, tagnames
from tagger.tracking.database import Database
from tagger.tracking.queueing import enqueue
from tagger.tracking.schema import files, folders, jobs

UNKNOWN = "no reason is on record"
STATES = (ImageState.FAILED.value, ImageState.NOT_WRITTEN.value)
# What differs between two photos with one trouble, longest kinds first.
_PARTS = tuple(
    re.compile(pattern)
    for pattern in (
        r"https?://\S+",
        r"\"[^\"]{1,300}\"|(?<!\w)'[^'\n]{1,300}'(?!\w)|`[^`]{1,300}`",
        r"(?<!\w)(?:~|\.{1,2})?(?:/[^\s/:;,()]+)+/?",
        r"(?i)\b[^\s/:;,()]+\.(?:jpe?g|png|gif|bmp|hei[cf]|avif|tiff?|webp|xmp|cr[23]|"
        r"nef|nrw|arw|dng|raf|orf|rw2|pef|srw|raw|tmp)\b",
        r"\b0x[0-9a-fA-F]+\b|\b(?=[0-9a-f]*[0-9])[0-9a-f]{8,}\b",
        r"\d+(?:[.,:]\d+)*",
    )
)
_KEPT = re.compile(r"(?i)\b(?:HTTP|EXIF|XMP|IPTC|error|errno|code|status) \d+\b")
_GAP = "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Photos that are not finished for one kind of reason.

    `reason` is in the words of the one photo given as `example`.
    """

    kind: str
    state: ImageState
    photos: int
    reason: str
    example: bytes


def kind_of(reason: str | None, path: bytes) -> str:
    """A reason without what only names this photo: equal for equal troubles."""
    if not reason:
        return UNKNOWN
    for name in (shown(path), shown(os.path.basename(path))):
        reason = reason.replace(name, _GAP)
    return _general(reason)


@lru_cache(10_000)
def _general(reason: str) -> str:
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        kept.append(found[0])
        return f"\x00{chr(0xE000 + len(kept) - 1)}"

    text = _KEPT.sub(keep, reason)
    for part in _PARTS:
        text = part.sub(_GAP, text)
    for position, words in enumerate(kept):
        text = text.replace(f"\x00{chr(0xE000 + position)}", words)
    return " ".join(text.split())


def groups(db: Database) -> list[Group]:
    """What stands in the way of photos, by kind of reason, most photos first."""
    photos = func.count()
    with db.read() as connection:
        grouped = (
            select(
                files.c.state,
                files.c.reason,
                photos.label("photos"),
                func.min(files.c.id).label("first"),
            )
            .join(folders)
            .where(
                files.c.state.in_(STATES),
                files.c.missing_since.is_(None),
                folders.c.removed_at.is_(None),
            )
            .group_by(files.c.state, files.c.reason)
            .subquery()
        )
        rows = connection.execute(
            select(grouped, files.c.path.label("example"))
            .join(files, files.c.id == grouped.c.first)
            .order_by(grouped.c.photos.desc())
        ).all()
    found: dict[tuple[str, str], Group] = {}
    for row in rows:
        key = row.state, kind_of(row.reason, row.example)
        known = found.get(key)
        found[key] = Group(
            kind=key[1],
            state=ImageState(row.state),
            photos=row.photos + (known.photos if known else 0),
            reason=known.reason if known else row.reason or UNKNOWN,
            example=known.example if known else row.example,
        )
    return sorted(found.values(), key=lambda group: (-group.photos, group.kind))


def retry(
    db: Database, *, ids: Sequence[int] | None = None, kind: str | None = None
) -> int:
    """Try again now: failed photos, all or those named; how many.

    With `kind` all that are not finished for this kind of reason, those whose words
    could not be written included.
    """
    with db.write() as connection:
        if kind is None:
            failed = _unfinished(connection, [ImageState.FAILED.value])
            again = {row.id for row in failed}
            again = again if ids is None else again.intersection(ids)
            _queue(connection, sorted(again))
            return len(again)
        alike = _of_kind(connection, ImageState.FAILED, kind)
        _queue(connection, alike)
        unwritten = _of_kind(connection, ImageState.NOT_WRITTEN, kind)
        for chunk in tagnames.chunks(unwritten):
            connection.execute(
                update(jobs).where(jobs.c.file_id.in_(chunk)).values(not_before=None)
            )
        return len(alike) + len(unwritten)


def _queue(connection: Connection, ids: Sequence[int]) -> None:
    enqueue(connection, dict.fromkeys(ids))
    changes.record(connection, changes.IMAGE, ids)


def _unfinished(
    connection: Connection, states: Iterable[str]
) -> Sequence[Row[Any, Any, Any]]:
    """The photos that stand so, and whose folder was not taken out."""
    return connection.execute(
        select(files.c.id, files.c.path, files.c.reason)
        .join(folders)
        .where(files.c.state.in_(list(states)), folders.c.removed_at.is_(None))
        .order_by(files.c.id)
    ).all()


def _of_kind(connection: Connection, state: ImageState, kind: str) -> list[int]:
    return [
        row.id
        for row in _unfinished(connection, [state.value])
        if kind_of(row.reason, row.path) == kind
    ]
