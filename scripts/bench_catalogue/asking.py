"""Asking: the questions people ask, each beside `LIKE` over the same rows.

Words and filters are taken from photos that are there, so every question finds some:
mostly words of a few to some ten thousand photos, now and then one of nearly all.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from scripts.bench_catalogue import library
from scripts.bench_catalogue.timing import Figures, spread, timed
from tagger.catalogue import completing, finding, questions
from tagger.catalogue.paging import ORDERS, Mark
from tagger.catalogue.questions import Sort, Wanted
from tagger.catalogue.store import Catalogue

QUESTIONS = 200
LIKES = 10
FACETS = 24
PAGE = 60
LINK_SHARE = 0.1  # of the words asked for that stand in nearly every description

Call = Callable[[], object]


@dataclass(frozen=True)
class Question:
    """One to three words and up to two filters, for the catalogue and as SQL."""

    wanted: Wanted
    words: tuple[str, ...]
    tags: tuple[str, ...]
    month: str | None

    @property
    def like(self) -> tuple[str, list[str]]:
        """The condition on `images i` that an ordinary database would be asked."""
        parts = ["i.description ILIKE ?" for _ in self.words]
        parts += [
            "i.id IN (SELECT image_id FROM image_tags JOIN tags USING (tag_id) "
            "WHERE key = ?)"
            for _ in self.tags
        ]
        values = [*(f"%{word}%" for word in self.words), *self.tags]
        if self.month:
            parts.append("i.taken_at LIKE ?")
            values.append(f"{self.month}%")
        return " AND ".join(parts), values


def questions_of(
    catalogue: Catalogue, count: int, seed: int = 5, newest: int | None = None
) -> list[Question]:
    """Questions about photos drawn at random; the same seed gives the same ones.

    They are about the photos up to the id `newest`, if there are others after it.
    """
    dice = random.Random(seed)
    if newest is None:
        with catalogue.cursor() as cursor:
            newest = cursor.execute("SELECT max(id) FROM images").fetchall()[0][0]
    ids = [dice.randint(1, newest) for _ in range(count)]
    return [_question(dice, catalogue, image_id) for image_id in ids]


def _question(dice: random.Random, catalogue: Catalogue, image_id: int) -> Question:
    photo = questions.image(catalogue, image_id)
    said = {word.strip(".").lower() for word in (photo.description or "").split()}
    links, plain = said & set(library.LINKS), sorted(said - set(library.LINKS))
    words = dice.sample(plain, dice.randint(1, 3))
    if links and dice.random() < LINK_SHARE:
        words[0] = dice.choice(sorted(links))
    filters = dice.randint(0, 2)
    taken_at = photo.facts.taken_at if photo.facts else None
    month = taken_at[:7] if filters and taken_at and dice.random() < 0.5 else None
    some = dice.sample([tag.name for tag in photo.tags], filters - bool(month))
    wanted = Wanted(query=" ".join(words), tags=tuple(some), month=month)
    return Question(wanted, tuple(words), tuple(some), month)


def measure(catalogue: Catalogue) -> dict[str, object]:
    """The figures of every kind of question."""
    asked = questions_of(catalogue, QUESTIONS)
    few = asked[:LIKES]
    return {
        "search": _beside(
            [partial(search, catalogue, one) for one in asked],
            [partial(_like_search, catalogue, one) for one in few],
        ),
        "facets": _beside(
            [partial(facet, catalogue, one) for one in asked],
            [partial(_like_facet, catalogue, one) for one in few],
        ),
        "facets_of_everything": _beside(
            [partial(questions.tag_counts, catalogue, limit=FACETS)] * 20, []
        ),
        "completion": _beside(
            [partial(completing.complete, catalogue, text) for text in _typed(asked)],
            [partial(_like_complete, catalogue, text) for text in _typed(few)],
        ),
        "deep_page": {sort: _deep(catalogue, Sort(sort)) for sort in ORDERS},
    }


def search(catalogue: Catalogue, asked: Question) -> None:
    wanted = Wanted(
        query=asked.wanted.query,
        tags=asked.wanted.tags,
        month=asked.wanted.month,
        sort=Sort.RELEVANCE,
    )
    found = finding.find(catalogue, wanted, limit=PAGE, typing=True)
    if not found.page.total:
        raise AssertionError(f"{asked.wanted} finds nothing")


def facet(catalogue: Catalogue, asked: Question) -> None:
    if not questions.tag_counts(catalogue, asked.wanted, limit=FACETS):
        raise AssertionError(f"{asked.wanted} has no tags")


def _typed(asked: Sequence[Question]) -> list[str]:
    """Beginnings of words of one to five letters, and of a tag."""
    lengths = (1, 2, 3, 4, 5)
    words = [one.words[-1][: lengths[n % 5]] for n, one in enumerate(asked)]
    return [f"tag:{word}" if n % 3 == 0 else word for n, word in enumerate(words)]


def _beside(calls: Sequence[Call], likes: Sequence[Call]) -> dict[str, object]:
    timed(calls[: len(calls) // 4])  # warm
    figures: dict[str, object] = {**spread(timed(calls))}
    if likes:
        figures["like"] = spread(timed(likes))
    return figures


def _like_search(catalogue: Catalogue, asked: Question) -> None:
    condition, values = asked.like
    with catalogue.cursor() as cursor:
        for select in (
            "SELECT * FROM images i WHERE {} ORDER BY i.id DESC LIMIT 60",
            "SELECT count(*) FROM images i WHERE {}",
        ):
            cursor.execute(select.format(condition), values).fetchall()


def _like_facet(catalogue: Catalogue, asked: Question) -> None:
    condition, values = asked.like
    with catalogue.cursor() as cursor:
        cursor.execute(
            f"""SELECT name, count(*) AS n FROM image_tags JOIN tags USING (tag_id)
            WHERE image_id IN (SELECT i.id FROM images i WHERE {condition})
            GROUP BY name ORDER BY n DESC LIMIT {FACETS}""",
            values,
        ).fetchall()


def _like_complete(catalogue: Catalogue, typed: str) -> None:
    start = typed.removeprefix("tag:")
    with catalogue.cursor() as cursor:
        cursor.execute(
            """SELECT name, count(*) AS n FROM image_tags JOIN tags USING (tag_id)
            WHERE key LIKE ? OR key LIKE ? GROUP BY name ORDER BY n DESC LIMIT 10""",
            [f"{start}%", f"% {start}%"],
        ).fetchall()


def _deep(catalogue: Catalogue, sort: Sort) -> dict[str, Figures]:
    """Pages around nine tenths of the whole list."""
    order = ORDERS[sort]
    with catalogue.cursor() as cursor:
        total = cursor.execute("SELECT count(*) FROM images").fetchall()[0][0]
        depth = total * 9 // 10
        select = "SELECT i.id, i.taken_key, i.size_bytes, i.name_key FROM images i "
        select += f"ORDER BY {order.by(order.descending)} LIMIT 20 OFFSET {depth}"
        rows = cursor.execute(select).fetchall()
    marks = [_mark(sort, *row).encode() for row in rows]
    wanted = Wanted(sort=sort)
    calls = [
        partial(questions.page, catalogue, wanted, after=mark, limit=PAGE)
        for mark in marks
    ]
    timed(calls[:5])

    def skip() -> None:
        with catalogue.cursor() as cursor:
            cursor.execute(
                f"SELECT * FROM images i ORDER BY {order.by(order.descending)} "
                f"LIMIT {PAGE} OFFSET {depth}"
            ).fetchall()

    return {"keyset": spread(timed(calls)), "offset": spread(timed([skip]))}


def _mark(
    sort: Sort, image_id: int, taken_key: int, size_bytes: int, name_key: str
) -> Mark:
    keys: dict[Sort, int | str] = {
        Sort.TAKEN: taken_key,
        Sort.SIZE: size_bytes,
        Sort.NAME: name_key,
    }
    return Mark(sort, False, keys.get(sort, image_id), image_id)
