"""Corrected: how much people changed of what each model says of photos now."""

from dataclasses import dataclass

from sqlalchemy import Select, and_, func, select

from tagger.tracking.database import Database
from tagger.tracking.schema import files, person_tags, result_tags, results


@dataclass(frozen=True, slots=True)
class Corrected:
    """Photos with an answer of this model and prompt that people took tags of it from,
    or gave others, and how many tags that were.
    """

    photos: int = 0
    taken_out: int = 0
    added: int = 0


def by_model(db: Database) -> dict[tuple[str, str], Corrected]:
    """For each model and prompt that somebody corrected."""
    meant = func.coalesce(result_tags.c.becomes, result_tags.c.tag_id)
    said = and_(
        result_tags.c.result_id == files.c.result_id, meant == person_tags.c.tag_id
    )
    is_said = select(result_tags.c.tag_id).where(said).exists()
    removed = _counted().where(person_tags.c.kept.is_(False), is_said)
    added = _counted().where(person_tags.c.kept.is_(True), ~is_said)
    found: dict[tuple[str, str], Corrected] = {}
    changed = _counted().where(
        (person_tags.c.kept.is_(False) & is_said)
        | (person_tags.c.kept.is_(True) & ~is_said)
    )
    with db.read() as connection:
        out, new = (
            {(row.model, row.prompt_version): row.tags for row in rows}
            for rows in (connection.execute(removed), connection.execute(added))
        )
        for row in connection.execute(changed):
            which = row.model, row.prompt_version
            found[which] = Corrected(row.photos, out.get(which, 0), new.get(which, 0))
    return found


def _counted() -> Select[tuple[str, str, int, int]]:
    return (
        select(
            results.c.model,
            results.c.prompt_version,
            func.count(person_tags.c.file_id.distinct()).label("photos"),
            func.count().label("tags"),
        )
        .select_from(person_tags)
        .join(files, files.c.id == person_tags.c.file_id)
        .join(results, results.c.id == files.c.result_id)
        .where(files.c.missing_since.is_(None))
        .group_by(results.c.model, results.c.prompt_version)
    )
