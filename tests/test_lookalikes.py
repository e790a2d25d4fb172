"""Photos that look like one: made out in the background, found, ranked and filtered."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy import Select

from tagger import config
from tagger.catalogue import export, intake, questions
from tagger.catalogue.alike.likeness import MOST, Likeness, best
from tagger.catalogue.alike.matrix import Matrix
from tagger.catalogue.finding import find
from tagger.catalogue.questions import Wanted
from tagger.errors import QueryError, UsageError
from tagger.pipeline import sketching
from tagger.pipeline.lookalikes import LookAlikes
from tagger.pipeline.run import run
from tagger.pipeline.sketching import Sketcher, Stopped
from tagger.tracking import files, vectors
from tagger.tracking.database import Database
from tagger.vision.builtin import likeness
from tagger.vision.numbers import as_bytes
from tests import support_pages as screens
from tests.support_alike import PHOTOS, SAMPLES, altered, sample, taken_in
from tests.support_web import Library, library, served, until


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Library]:
    with library(tmp_path) as made:
        yield made


def maker_of(shelf: Library) -> closing[LookAlikes]:
    db, thumbnails = shelf.opened.db, shelf.opened.thumbnails
    return closing(LookAlikes(db, thumbnails, threading.Event()))


def caught_up(shelf: Library) -> None:
    with maker_of(shelf) as maker:
        maker.catch_up()


def found(shelf: Library, query: str, *, sort: str = "relevance") -> list[str]:
    wanted = Wanted(query=query, sort=sort)
    listed = find(shelf.opened.catalogue, wanted, limit=500)
    return [card.name for card in listed.page.images]


def kept(db: Database) -> int:
    method = vectors.present(db, vectors.LOOK)
    return 0 if method is None else len(vectors.after(db, method, 0, limit=10_000))


# -- what a picture is like -----------------------------------------------------------


def halves(name: str) -> list[np.ndarray]:
    with Image.open(SAMPLES / name) as opened:
        image = opened.convert("RGB")
    image.thumbnail((512, 512))
    wide, high = image.size
    parts = [(0, 0, wide // 2, high), (wide // 2, 0, wide, high)]
    return [np.asarray(image.crop(part)) for part in parts]


def test_the_halves_of_a_photo_are_like_each_other_before_all_others() -> None:
    """Fifteen photos, two halves each: the other half is the nearest or the next."""
    looker, matrix = likeness.Looker(), Matrix()
    pixels = [half for name in PHOTOS if name != "picos.heic" for half in halves(name)]
    matrix.add([(n, looker.vector(half)) for n, half in enumerate(pixels, start=1)])
    every = np.arange(len(pixels))
    ranks = []
    for row in every:
        scores = matrix.likeness(matrix.vector(row), every)
        scores[row] = -2
        ranks.append(list(np.argsort(-scores)).index(row ^ 1))
    assert sum(rank == 0 for rank in ranks) >= 0.85 * len(ranks)
    assert sum(rank <= 2 for rank in ranks) >= 0.95 * len(ranks)


def test_a_vector_is_128_bytes_and_the_same_each_time() -> None:
    looker = likeness.Looker()
    [pixels, _] = halves("china.jpg")
    assert len(looker.vector(pixels)) == likeness.NUMBERS
    assert looker.vector(pixels) == likeness.Looker().vector(pixels)


def test_the_signs_are_those_of_every_machine() -> None:
    signs = likeness._signs()
    assert set(np.unique(signs)) == {-1, 1}
    assert abs(signs.mean()) < 0.01
    assert signs[0, :12].tolist() == [1] * 9 + [-1] * 3


def test_numbers_without_a_length_are_like_nothing() -> None:
    matrix = Matrix()
    nothing = as_bytes(np.zeros(4))
    matrix.add([(1, nothing), (2, as_bytes(np.array([1.0, 0, 0, 0])))])
    assert matrix.likeness(matrix.vector(0), np.arange(2)).tolist() == [0, 0]
    assert matrix.likeness(matrix.vector(1), np.arange(2)).tolist() == [0, 1]


@given(
    st.lists(st.binary(min_size=8, max_size=8), min_size=1, max_size=40),
    st.integers(1, 7),
)
@settings(max_examples=60, deadline=None)
def test_the_matrix_compares_as_plain_arithmetic_does(
    made: list[bytes], at_once: int
) -> None:
    matrix = Matrix()
    for start in range(0, len(made), at_once):
        some = made[start : start + at_once]
        matrix.add([(3 * (start + n) + 1, one) for n, one in enumerate(some)])
    plain = np.array([np.frombuffer(one, np.int8) for one in made], np.float64)
    lengths = np.maximum(np.linalg.norm(plain, axis=1), 1e-9)
    expected = plain @ plain[0] / lengths / lengths[0]
    ids = np.array([3 * n + 1 for n in range(len(made))])

    rows = matrix.rows_of(np.append(ids, 2))

    assert rows.tolist() == [*range(len(made)), -1]
    for some in (rows[:-1], rows[:1], rows[:-1:3]):
        scores = matrix.likeness(matrix.vector(0), some)
        assert np.allclose(scores, expected[some], atol=1e-4)


def test_the_best_come_first_and_ties_by_number() -> None:
    ids = np.arange(1, 5_001)
    scores = np.linspace(0, 1, 5_000).astype(np.float32)
    assert best(ids, scores, least=0.3).tolist() == list(range(5_000, 5_000 - MOST, -1))
    assert best(ids[:3], np.array([0.5, 0.5, 0.1]), least=0.3).tolist() == [1, 2]


# -- in the background ----------------------------------------------------------------


def test_each_picture_gets_one_vector_whatever_happens(shelf: Library) -> None:
    sample(shelf, "china.jpg", "a.jpg")
    sample(shelf, "china.jpg", "b.jpg")
    sample(shelf, "coffee.png")
    with maker_of(shelf) as maker:
        maker.catch_up()
        assert kept(shelf.opened.db) == 2

        sample(shelf, "chelsea.png")  # what comes later is followed
        maker.catch_up()
        assert kept(shelf.opened.db) == 3

    caught_up(shelf)  # a second start finds nothing to do
    assert kept(shelf.opened.db) == 3


def test_a_missing_or_broken_thumbnail_holds_nothing_up(shelf: Library) -> None:
    ids = [sample(shelf, name) for name in ("china.jpg", "coffee.png", "chelsea.png")]
    first, second, _ = sorted(shelf.opened.thumbnails.dir.glob("*/*.jpg"))
    first.unlink()
    second.write_bytes(b"\xff\xd8 no picture at all \xff\xd9")

    caught_up(shelf)

    assert kept(shelf.opened.db) == 1
    known = Likeness(shelf.opened.db)
    assert sum(known.knows(image_id) for image_id in ids) == 1
    unknown = next(image_id for image_id in ids if not known.knows(image_id))
    with pytest.raises(UsageError, match=r"catalogue\.look_alikes"):
        found(shelf, f"like:{unknown}")


def test_what_was_kept_outlives_a_kill_and_a_rebuild_makes_nothing_out(
    shelf: Library,
) -> None:
    for name in PHOTOS[:6]:
        sample(shelf, name)
    code = (
        "import sys, threading; from tagger import config\n"
        "from tagger.imaging.thumbnails import ThumbnailStore\n"
        "from tagger.pipeline import lookalikes\n"
        "from tagger.tracking.database import Database\n"
        "lookalikes.KEEP = 1; settings = config.load()\n"
        "db = Database.open(settings.tracking_path, url=settings.tracking.url)\n"
        "store = ThumbnailStore(settings.thumbnails_dir)\n"
        "lookalikes.LookAlikes(db, store, threading.Event()).work()"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    until(lambda: kept(shelf.opened.db) >= 2)
    process.kill()
    process.wait()
    assert kept(shelf.opened.db) >= 2

    caught_up(shelf)

    assert kept(shelf.opened.db) == 6
    for path in shelf.opened.thumbnails.dir.glob("*/*.jpg"):
        path.unlink()
    intake.rebuild(shelf.opened.catalogue, shelf.opened.db)
    assert len(found(shelf, "like:1")) >= 1


def test_a_killed_sketcher_is_started_anew(shelf: Library) -> None:
    sample(shelf, "china.jpg")
    [thumbnail] = shelf.opened.thumbnails.dir.glob("*/*.jpg")
    sketcher = Sketcher(threading.Event())
    try:
        vector = sketcher.vector(thumbnail)
        assert sketcher.pid is not None
        assert os.getpriority(os.PRIO_PROCESS, sketcher.pid) == 19
        os.kill(sketcher.pid, signal.SIGKILL)
        assert sketcher.vector(thumbnail) is None
        assert sketcher.vector(thumbnail) == vector
    finally:
        sketcher.close()


def test_a_sketcher_ends_when_there_was_nothing_for_long(
    shelf: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample(shelf, "china.jpg")
    [thumbnail] = shelf.opened.thumbnails.dir.glob("*/*.jpg")
    with closing(Sketcher(threading.Event())) as sketcher:
        sketcher.vector(thumbnail)
        sketcher.rest()
        assert sketcher.pid is not None
        monkeypatch.setattr(sketching, "IDLE_S", 0.0)
        sketcher.rest()
        assert sketcher.pid is None


def test_a_sketcher_that_cannot_live_is_given_up(
    shelf: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sketching, "_COMMAND", (sys.executable, "-c", "pass"))
    sketcher = Sketcher(threading.Event())
    assert sketcher.vector(shelf.root) is None
    assert sketcher.vector(shelf.root) is None
    with pytest.raises(Stopped, match="ends at once"):
        sketcher.vector(shelf.root)


def test_vectors_of_an_earlier_method_are_made_anew(shelf: Library) -> None:
    sample(shelf, "china.jpg")
    old = vectors.method(shelf.opened.db, vectors.LOOK, "an earlier one")
    vectors.keep(shelf.opened.db, old, {"j1:x": bytes(128)})

    caught_up(shelf)

    new = vectors.present(shelf.opened.db, vectors.LOOK)
    assert new is not None
    assert new != old
    assert vectors.after(shelf.opened.db, old, 0, limit=5) == []
    assert kept(shelf.opened.db) == 1


@pytest.mark.parametrize("on", [True, False])
def test_the_running_tagger_does_it_unless_told_not_to(
    shelf: Library, monkeypatch: pytest.MonkeyPatch, on: bool
) -> None:
    monkeypatch.setenv("TAGGER_CATALOGUE__LOOK_ALIKES", str(on).lower())
    monkeypatch.setenv("TAGGER_MODEL__BACKEND", "builtin")
    sample(shelf, "china.jpg")
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(config.load(),), kwargs={"stop": stop})
    thread.start()
    try:
        if on:
            until(lambda: kept(shelf.opened.db) == 1)
        else:
            time.sleep(3)
            assert kept(shelf.opened.db) == 0
    finally:
        stop.set()
        thread.join(30)
    assert not thread.is_alive()


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("statement", "first"),
    [
        (vectors.next_by_id(1, 5), "SEARCH vectors USING INTEGER PRIMARY KEY"),
        (vectors.links_of_new(1, 5), "SEARCH vectors USING INTEGER PRIMARY KEY"),
        (vectors.links_of_changed(1, 5), "SEARCH files USING INTEGER PRIMARY KEY"),
    ],
)
def test_what_is_new_is_read_without_going_through_all_there_is(
    db: Database, statement: Select[Any], first: str
) -> None:
    plain = statement.compile(compile_kwargs={"literal_binds": True})
    with sqlite3.connect(db.path) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {plain}").fetchall()
    connection.close()
    assert plan[0][3].startswith(first)
    assert "TEMP B-TREE" not in str(plan)


# -- in searches ----------------------------------------------------------------------


@pytest.fixture
def gallery(shelf: Library) -> dict[str, int]:
    ids = {}
    for name in ("ridge.jpg", "picos.heic", "coffee.png", "sunset.webp", "seeding.jpg"):
        tag = "odd" if len(ids) % 2 else "even"
        ids[name] = sample(shelf, name, f"{tag}/{name}", tag)
    ids["small.jpg"] = altered(shelf, "ridge.jpg", "small.jpg", "smaller")
    caught_up(shelf)
    return ids


def test_photos_are_ranked_by_likeness_and_filtered(
    shelf: Library, gallery: dict[str, int]
) -> None:
    query = f"like:{gallery['ridge.jpg']}"

    ranked = found(shelf, query)

    assert ranked[:3] == ["ridge.jpg", "small.jpg", "picos.heic"]
    even = [name for name in ranked if name in found(shelf, "tag:even")]
    assert found(shelf, f"{query} tag:even") == even
    assert found(shelf, f"tag:even {query} -name") == even
    assert found(shelf, f"({query} OR tag:even) tag:even", sort="newest")
    assert not set(found(shelf, f"-{query}")) & set(ranked)
    # In another order they are the same photos, and so they are in an export.
    assert sorted(found(shelf, query, sort="oldest")) == sorted(ranked)
    out = shelf.root.parent / "out.jsonl"
    assert export.export(
        shelf.opened.catalogue, Wanted(query=query), out, "jsonl"
    ) == len(ranked)


def test_a_narrow_filter_finds_what_the_nearest_thousand_would_not_hold(
    shelf: Library, gallery: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tagger.catalogue.alike import likeness as limits

    query = f"like:{gallery['ridge.jpg']}"
    last = found(shelf, query)[-1]
    monkeypatch.setattr(limits, "MOST", 2)
    assert found(shelf, query) == ["ridge.jpg", "small.jpg"]
    assert found(shelf, f"{query} {last.split('.')[0]}")[-1] == last


def test_ranked_photos_are_leafed_through_in_both_directions(
    shelf: Library, gallery: dict[str, int]
) -> None:
    query = f"like:{gallery['ridge.jpg']}"
    every = found(shelf, query)
    wanted, after, seen, marks = Wanted(query=query, sort="relevance"), None, [], []
    while True:
        page = questions.page(shelf.opened.catalogue, wanted, after=after, limit=2)
        seen += [card.name for card in page.images]
        assert page.total == len(every)
        marks.append(page.previous)
        if (after := page.next) is None:
            break
    assert seen == every
    back = questions.page(shelf.opened.catalogue, wanted, after=marks[-1], limit=2)
    assert [card.name for card in back.images] == every[(len(marks) - 2) * 2 :][:2]


def test_a_photo_that_changes_or_goes_is_followed(
    shelf: Library, gallery: dict[str, int]
) -> None:
    query = f"like:{gallery['ridge.jpg']}"
    assert "small.jpg" in found(shelf, query)

    Image.new("RGB", (64, 48), "red").save(shelf.root / "small.jpg")
    taken_in(shelf, shelf.root / "small.jpg")
    assert "small.jpg" not in found(shelf, query)

    files.apply_scan(shelf.opened.db, shelf.folder_id, [])
    shelf.opened.take()
    assert found(shelf, query) == []


@pytest.mark.parametrize("typed", ["like:x", "like:0", "like:-3", "like:", "like:²"])
def test_a_number_that_is_none_is_pointed_at(shelf: Library, typed: str) -> None:
    sample(shelf, "china.jpg")
    with pytest.raises(QueryError):
        found(shelf, typed)


def test_the_api_and_the_photo_view_show_them(
    shelf: Library, gallery: dict[str, int]
) -> None:
    ridge = gallery["ridge.jpg"]
    with served() as client:
        page = client.get("/api/search", params={"q": f"like:{ridge}"}).json()
        refused = client.get("/api/search", params={"q": "like:99999"})
    assert [image["name"] for image in page["images"]][:2] == ["ridge.jpg", "small.jpg"]
    assert refused.status_code == 422
    assert "photo 99999" in refused.json()["detail"]

    test = screens.screen("gallery", photo=str(ridge))
    assert not test.exception
    walls = [
        element
        for element in test.get("bidi_component")
        if element.proto.component_name == "tagger_grid"
    ]
    assert any("Similar photos" in wall.proto.json for wall in walls)
