"""Looks: what a look at a photo found, kept with its file.

The words found in a file are the person's, except those our own writes put there. A
copy of a photo we wrote carries our words too; it is known by the hash of the whole
file, and only then, because taking a person's word for ours could lose it later.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, delete, select, update

from tagger.records import Facts, FileWords, ImageState, StatKey, utc_now
from tagger.tracking import changes, tagnames
from tagger.tracking.database import Database
from tagger.tracking.schema import file_tags, files, jobs, own_tags, writes


def record(
    db: Database,
    file_id: int,
    *,
    stat: StatKey,
    identity: str,
    content_hash: str,
    dhash: int,
    facts: Facts,
    words: FileWords | None,
    note: str | None,
) -> int:
    """Keep what a look found; returns the id the photo goes by from now on.

    That id differs from `file_id` when the photo is one that had been missing: it was
    moved, so it takes its old id, with everything known of it. `words` is None when
    they could not be read (no exiftool); what was known of them then stays.
    """
    with db.write() as connection:
        moved_from = _missing_twin(connection, file_id, identity)
        if moved_from is not None:
            _become(connection, file_id, moved_from)
            file_id = moved_from
        connection.execute(
            update(files)
            .where(files.c.id == file_id)
            .values(
                dev=stat.dev,
                ino=stat.ino,
                size_bytes=stat.size_bytes,
                mtime_ns=stat.mtime_ns,
                ctime_ns=stat.ctime_ns,
                looked_at=utc_now(),
                identity=identity,
                content_hash=content_hash,
                dhash=dhash,
                note=note,
                **_fact_columns(facts),
            )
        )
        if words is not None:
            _keep_words(connection, file_id, words, content_hash)
        changes.record(connection, changes.IMAGE, [file_id])
    return file_id


def _fact_columns(facts: Facts) -> dict[str, object]:
    latitude, longitude = facts.gps or (None, None)
    return {
        "format": facts.format,
        "width_px": facts.width_px,
        "height_px": facts.height_px,
        "orientation": facts.orientation,
        "frames": facts.frames,
        "taken_at": facts.taken_at,
        "camera": facts.camera,
        "lens": facts.lens,
        "latitude": latitude,
        "longitude": longitude,
    }


def _missing_twin(connection: Connection, file_id: int, identity: str) -> int | None:
    """A missing file of the same picture, if the looked-at one was never looked at."""
    row = connection.execute(select(files).where(files.c.id == file_id)).one()
    if row.identity is not None:
        return None
    return connection.scalars(
        select(files.c.id)
        .where(
            files.c.identity == identity,
            files.c.missing_since.is_not(None),
            files.c.id != file_id,
        )
        .order_by(files.c.missing_since.desc())
        .limit(1)
    ).first()


def _become(connection: Connection, new_id: int, old_id: int) -> None:
    """Give the missing file the path and job of the one just found, which goes."""
    new = connection.execute(select(files).where(files.c.id == new_id)).one()
    connection.execute(delete(jobs).where(jobs.c.file_id == old_id))
    connection.execute(
        update(jobs).where(jobs.c.file_id == new_id).values(file_id=old_id)
    )
    connection.execute(delete(files).where(files.c.id == new_id))
    connection.execute(
        update(files)
        .where(files.c.id == old_id)
        .values(
            path=new.path,
            folder_id=new.folder_id,
            missing_since=None,
            state=ImageState.QUEUED.value,
            reason=None,
        )
    )
    changes.record(connection, changes.IMAGE, [new_id])


def _keep_words(
    connection: Connection, file_id: int, words: FileWords, content_hash: str
) -> None:
    own, own_description = _own(connection, file_id, content_hash)
    present = {tagnames.key(name): name for name in words.tags}
    ids = tagnames.ids(connection, words.tags)
    found = {key: name for key, name in present.items() if key and key not in own}
    still_own = {key: name for key, name in own.items() if key in present}
    described = words.description
    connection.execute(delete(file_tags).where(file_tags.c.file_id == file_id))
    _insert_found(
        connection, file_id, [(ids[key], name) for key, name in found.items()]
    )
    set_own(connection, file_id, still_own.values())
    connection.execute(
        update(files)
        .where(files.c.id == file_id)
        .values(
            found_description=None if described == own_description else described,
            own_description=own_description if described == own_description else None,
        )
    )


def _insert_found(
    connection: Connection, file_id: int, found: list[tuple[int, str]]
) -> None:
    if found:
        connection.execute(
            file_tags.insert(),
            [
                {"file_id": file_id, "tag_id": tag_id, "position": n, "name": name}
                for n, (tag_id, name) in enumerate(found)
            ],
        )


def _own(
    connection: Connection, file_id: int, content_hash: str
) -> tuple[dict[str, str], str | None]:
    """Our words in this file, or in the file it is a byte for byte copy of."""
    row = connection.execute(select(files).where(files.c.id == file_id)).one()
    source_id = file_id
    if row.written_result_id is None:
        source_id = _copied_from(connection, content_hash) or file_id
    names = connection.scalars(
        select(own_tags.c.name).where(own_tags.c.file_id == source_id)
    ).all()
    if source_id != file_id:
        source = connection.execute(select(files).where(files.c.id == source_id)).one()
        connection.execute(
            update(files)
            .where(files.c.id == file_id)
            .values(
                written_result_id=source.written_result_id,
                written_mode=source.written_mode,
                written_at=source.written_at,
            )
        )
        row = source
    return {tagnames.key(name): name for name in names}, row.own_description


def _copied_from(connection: Connection, content_hash: str) -> int | None:
    return connection.scalars(
        select(writes.c.file_id)
        .where(writes.c.after_hash == content_hash, writes.c.state == "done")
        .order_by(writes.c.id.desc())
        .limit(1)
    ).first()


def set_own(connection: Connection, file_id: int, names: Iterable[str]) -> None:
    """Replace the list of tags in a file that are ours."""
    listed = list(names)
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
