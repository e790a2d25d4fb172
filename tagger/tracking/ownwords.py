"""Own words: which of the words in a file are there because we wrote them.

All others are the person's. What a file at a known path had of ours is kept with it,
and holds while somebody edits it. What another file has of ours is known by the hash of
its whole bytes, or those of its sidecar, and by nothing weaker: taking a person's word
for ours could lose it later.
"""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, delete, select

from tagger.records import FileWords, WriteMode
from tagger.tracking import tagnames
from tagger.tracking.schema import files, own_tags, sidecars, writes


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """What is ours, by key and by text, and the write that brought it, if one did.

    `exact` says that the bytes we last wrote to, or stood there before, are known, so
    that nobody edited them; `of` is the file they were known from. The photo and its
    sidecar may each be `known` by their bytes.
    """

    tags: dict[str, str] = field(default_factory=dict)
    descriptions: frozenset[str] = frozenset()
    result_id: int | None = None
    mode: str | None = None
    written_at: str | None = None
    exact: bool = False
    of: int | None = None
    photo_known: bool = False
    sidecar_known: bool = False


def found(
    connection: Connection,
    row: Row[Any],
    words: FileWords,
    *,
    content: str | None,
    beside: str | None,
    doubtful: bool,
    place: bytes | None = None,
) -> Own:
    """What is ours among `words`, which stand in the file of this row.

    `content` and `beside` are the hashes of the photo and of its sidecar, None if it
    has none; the sidecar is at `place`. `doubtful` says that this may not be the file
    we wrote to: then what it had counts only if all of it is there.
    """
    photo, sidecar = (
        _in_bytes(connection, one, row.id) if one else None for one in (content, beside)
    )
    if sidecar is not None and _is_shared(connection, sidecar, row.id, place):
        return _of_shared(connection, row, words)
    own = [one for one in (photo, sidecar) if one is not None]
    if len(own) < sum(one is not None for one in (content, beside)):
        before = _of_row(connection, row)
        if not doubtful or _is_all_there(before, words):
            own.append(before)
    present = {tagnames.key(name) for name in words.tags}
    known = [one for one in own if one.of is not None]
    answered = [one for one in known if one.result_id is not None]
    written = next(iter([*answered, *known]), Own())
    exact = {
        None: bool(known),
        WriteMode.FILE.value: photo is not None,
        # A sidecar that is gone was lost, or left behind: no word was taken out.
        WriteMode.SIDECAR.value: beside is None or sidecar is not None,
    }
    return Own(
        tags={k: name for one in own for k, name in one.tags.items() if k in present},
        descriptions=frozenset().union(*(one.descriptions for one in own)),
        result_id=written.result_id,
        mode=written.mode,
        written_at=written.written_at,
        exact=exact.get(row.written_mode, exact[WriteMode.SIDECAR.value]),
        of=written.of,
        photo_known=photo is not None,
        sidecar_known=sidecar is not None,
    )


def _is_shared(
    connection: Connection, sidecar: Own, file_id: int, place: bytes | None
) -> bool:
    """Whether these bytes are another photo's, with its words in this very file."""
    if place is None or sidecar.of in (None, file_id):
        return False
    other = select(sidecars.c.path).where(
        sidecars.c.file_id == sidecar.of, sidecars.c.path == place, sidecars.c.is_ours
    )
    return connection.execute(other).first() is not None


def _of_shared(connection: Connection, row: Row[Any], words: FileWords) -> Own:
    """The other photo wrote there last: what it added is not ours to take out."""
    present = {tagnames.key(name) for name in words.tags}
    before = _of_row(connection, row)
    return dataclasses.replace(
        before,
        tags={key: name for key, name in before.tags.items() if key in present},
        result_id=row.written_result_id,
        mode=row.written_mode,
        written_at=row.written_at,
        exact=True,
        of=row.id,
        sidecar_known=True,
    )


def _is_all_there(own: Own, words: FileWords) -> bool:
    present = {tagnames.key(name) for name in words.tags}
    return set(own.tags) <= present and own.descriptions <= {words.description}


def _of_row(connection: Connection, row: Row[Any]) -> Own:
    return Own(
        tags={tagnames.key(name): name for name in names(connection, row.id)},
        descriptions=frozenset(filter(None, [row.own_description])),
    )


def _in_bytes(connection: Connection, content: str, file_id: int) -> Own | None:
    """What is ours in a file of exactly these bytes; None if we do not know them.

    They are known if we made them, whether or not they ever took the file's place; if
    they stood in this file before a write of ours; or if another file that we wrote to
    was seen to have them.
    """
    made = connection.execute(
        select(writes)
        .where(writes.c.after_hash == content)
        .order_by(writes.c.id.desc())
        .limit(1)
    ).first()
    if made is not None:
        return _left_by(made)
    return _replaced(connection, content, file_id) or _twin(
        connection, content, file_id
    )


def _left_by(write: Row[Any]) -> Own:
    return Own(
        tags={tagnames.key(name): name for name in write.own_tags},
        descriptions=frozenset(filter(None, [write.wrote_description])),
        result_id=write.result_id,
        mode=write.mode,
        written_at=write.closed_at or write.created_at,
        of=write.file_id,
    )


def _replaced(connection: Connection, content: str, file_id: int) -> Own | None:
    """Of bytes that a write of ours replaced: what the writes before it had left."""
    done = (
        select(writes)
        .where(writes.c.file_id == file_id, writes.c.state == "done")
        .order_by(writes.c.id.desc())
        .limit(1)
    )
    write = connection.execute(done.where(writes.c.before_hash == content)).first()
    if write is None:
        return None
    earlier = connection.execute(done.where(writes.c.id < write.id)).first()
    if earlier is None:
        return Own()
    added = {tagnames.key(name) for name in write.added_tags}
    named = {tagnames.key(name): name for name in write.own_tags}
    left = {key: name for key, name in named.items() if key not in added}
    return dataclasses.replace(_left_by(earlier), tags=left)


def _twin(connection: Connection, content: str, file_id: int) -> Own | None:
    twin = connection.execute(
        select(files)
        .where(
            files.c.content_hash == content,
            files.c.id != file_id,
            files.c.looked_at.is_not(None),
            files.c.written_mode == WriteMode.FILE.value,
        )
        .limit(1)
    ).first()
    if twin is None:
        return None
    return dataclasses.replace(
        _of_row(connection, twin),
        result_id=twin.written_result_id,
        mode=twin.written_mode,
        written_at=twin.written_at,
        of=twin.id,
    )


def names(connection: Connection, file_id: int) -> list[str]:
    """The tags in a file that are ours."""
    return list(
        connection.scalars(select(own_tags.c.name).where(own_tags.c.file_id == file_id))
    )


def replace(connection: Connection, file_id: int, tags: Iterable[str]) -> None:
    """Replace the list of tags in a file that are ours."""
    listed = list(tags)
    connection.execute(delete(own_tags).where(own_tags.c.file_id == file_id))
    ids = tagnames.ids(connection, listed)
    unique = {tagnames.key(name): name for name in listed if tagnames.key(name)}
    if unique:
        connection.execute(
            own_tags.insert(),
            [
                {"file_id": file_id, "tag_id": ids[key], "name": name}
                for key, name in unique.items()
            ],
        )
