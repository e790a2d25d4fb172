"""Resembling: whole searches with `like:`, over as many vectors as there are photos.

Photos come in scenes of some hundred that are alike; the vectors are made up, and kept
in the tracking database where the tagger keeps them.
"""

import random
from functools import partial

import numpy as np

from scripts.bench_catalogue import library
from scripts.bench_catalogue.library import Library
from scripts.bench_catalogue.timing import Figures, seconds, spread, timed
from tagger.catalogue import questions
from tagger.catalogue.alike.likeness import Likeness
from tagger.catalogue.questions import Wanted
from tagger.catalogue.store import Catalogue
from tagger.tracking import vectors
from tagger.tracking.database import Database

NUMBERS = 128
SCENE = 500
SEARCHES = 40
AT_ONCE = 20_000
PAGE = 60
FILTERS = ("", "format:jpeg", "taken:2015", "taken:2015-05 camera:canon")


def measure(catalogue: Catalogue, source: Library) -> dict[str, object]:
    """The first search, which reads all vectors; then others, alone and filtered."""
    with Database.open(library.database(source.data)) as db:
        _fill(db, source.count)
        catalogue.likeness = Likeness(db)
        first_s = seconds(partial(_search, catalogue, "like:1"))
        figures: dict[str, Figures] = {}
        dice = random.Random(3)
        for narrowed in FILTERS:
            asked = [
                f"like:{dice.randint(1, source.count)} {narrowed}"
                for _ in range(SEARCHES)
            ]
            times = timed(partial(_search, catalogue, query) for query in asked)
            figures[f"like:… {narrowed}".strip()] = spread(times)
        catalogue.likeness = None
    return {"vectors": source.count, "first_s": round(first_s, 2), "like": figures}


def _search(catalogue: Catalogue, query: str) -> None:
    questions.page(catalogue, Wanted(query=query, sort="relevance"), limit=PAGE)


def _fill(db: Database, count: int) -> None:
    """Make the vectors that are missing; the same ones each time."""
    method = vectors.method(db, vectors.LOOK, "bench")
    scenes = np.random.default_rng(1).normal(0, 50, (count // SCENE + 1, NUMBERS))
    for start in range(0, count, AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, count))
        names = [library.identity(n) for n in numbers]
        if vectors.known(db, method, [names[0], names[-1]]) == {names[0], names[-1]}:
            continue
        dice = np.random.default_rng(start + 7)
        noise = dice.normal(0, 40, (len(names), NUMBERS))
        made = np.clip(
            scenes[np.arange(start, numbers.stop) % len(scenes)] + noise, -127, 127
        ).astype(np.int8)
        vectors.keep(
            db, method, {n: v.tobytes() for n, v in zip(names, made, strict=True)}
        )
