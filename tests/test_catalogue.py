"""The catalogue as screens use it: opening, paging, counting, and who may hold it."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from tagger import config
from tagger.acting import Role
from tagger.catalogue import intake, schema
from tagger.catalogue.compare import differences
from tagger.catalogue.questions import (
    Card,
    NotFound,
    Page,
    Sort,
    Wanted,
    counts,
    folder_counts,
    image,
    months,
    page,
    recent,
    tag_counts,
)
from tagger.catalogue.store import Catalogue
from tagger.errors import DataError, UsageError
from tagger.records import ImageState
from tagger.tracking import folders, users
from tagger.tracking.database import Database
from tagger.web.runtime import Runtime
from tests.support_catalogue import (
    Photo,
    add_folder,
    many,
    open_catalogue,
    quality_of,
    rating_of,
    size_of,
    tagged,
    vanish,
    words_of,
)


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with open_catalogue(tmp_path) as opened:
        yield opened


@pytest.fixture
def folder_id(db: Database, tmp_path: Path) -> int:
    return add_folder(db, tmp_path / "photos")


# Opening


HOLDER = """
import sys
from pathlib import Path
from tagger.catalogue.store import Catalogue

data = Path(sys.argv[1])
with Catalogue.open(data / "catalogue.duckdb", data / "search"):
    print("open", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that has the catalogue open until it reads a line."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "data")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"open\n"
    yield child
    child.communicate(b"\n")


def test_whoever_finds_the_catalogue_held_is_told_by_which_process(
    holder: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=rf"in use by process {holder.pid} \(python"):
        open_catalogue(tmp_path)


def test_an_app_that_waits_gets_the_catalogue_when_it_is_given_free(
    holder: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    def let_go() -> None:
        time.sleep(0.5)
        assert holder.stdin is not None
        holder.stdin.write(b"\n")
        holder.stdin.flush()

    helper = threading.Thread(target=let_go)
    helper.start()
    data = tmp_path / "data"
    with Catalogue.open(
        data / "catalogue.duckdb", data / "search", wait_s=30
    ) as opened:
        assert counts(opened).total == 0
    helper.join()


def test_a_file_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("my diary, " * 1000)
    before = path.read_bytes()

    with pytest.raises(DataError, match=r"mine.txt cannot be opened as the catalogue"):
        Catalogue.open(path, tmp_path / "search")
    assert path.read_bytes() == before


def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "mine.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE diary AS SELECT 42 AS entry")

    with pytest.raises(DataError, match=r"holds other tables \(diary\)"):
        Catalogue.open(path, tmp_path / "search")
    with duckdb.connect(str(path)) as connection:
        assert connection.execute("SELECT * FROM diary").fetchall() == [(42,)]


def test_a_catalogue_of_another_version_is_made_anew(
    db: Database, folder_id: int, tmp_path: Path
) -> None:
    tagged(db, folder_id, Photo(description="A dog."))
    with open_catalogue(tmp_path) as catalogue:
        intake.take(catalogue, db)
        with catalogue.write() as cursor:
            schema.remember(cursor, version="0")
            cursor.execute("DROP TABLE folders")
            cursor.execute("CREATE TABLE of_old (x INTEGER)")

    with open_catalogue(tmp_path) as catalogue:
        assert counts(catalogue).total == 0
        intake.take(catalogue, db)
        assert counts(catalogue).total == 1
        assert differences(catalogue, db) == []


def test_what_a_killed_process_left_is_swept(tmp_path: Path) -> None:
    left = tmp_path / "data" / "catalogue.duckdb.exports" / "x1"
    of_old = tmp_path / "data" / "catalogue.duckdb.export-x1"
    spilled = tmp_path / "data" / "catalogue.duckdb.tmp"
    other = tmp_path / "data" / "photos"
    for folder in (left, of_old, spilled, other):
        folder.mkdir(parents=True)
        (folder / "part").write_text("x")

    with open_catalogue(tmp_path):
        assert not left.exists()
        assert not of_old.exists()
        assert not (spilled / "part").exists()
        assert (other / "part").exists()


def threads(catalogue: Catalogue) -> int:
    with catalogue.cursor() as cursor:
        cursor.execute("SELECT current_setting('threads')::INTEGER")
        return int(cursor.fetchall()[0][0])


def test_a_shared_catalogue_leaves_a_core_to_who_waits_for_something_else(
    tmp_path: Path,
) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    with (
        Catalogue.open(one / "db", one / "search") as alone,
        Catalogue.open(other / "db", other / "search", spares_core=True) as shared,
    ):
        assert threads(shared) == max(1, threads(alone) - 1)


def test_the_app_shares_its_catalogue_once_there_are_users(tmp_path: Path) -> None:
    settings = config.load({"TAGGER_DATA_DIR": str(tmp_path / "data")})
    with closing(Runtime.open(settings)) as mine:
        alone = threads(mine.catalogue)
        users.add(mine.db, "admin", role=Role.ADMIN, password=None)
    with closing(Runtime.open(settings)) as ours:
        assert threads(ours.catalogue) == max(1, alone - 1)


def test_two_catalogues_cannot_write_one_search_index(
    catalogue: Catalogue, db: Database, tmp_path: Path
) -> None:
    intake.take(catalogue, db)
    second = Catalogue.open(tmp_path / "second.duckdb", tmp_path / "data" / "search")
    with second, pytest.raises(DataError, match="another process writes"):
        intake.take(second, db)


def test_a_write_that_fails_leaves_nothing(catalogue: Catalogue) -> None:
    def fail_halfway() -> None:
        with catalogue.write() as cursor:
            schema.remember(cursor, half="done")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_halfway()
    assert catalogue.recall("half") is None


# Paging


def _walk(catalogue: Catalogue, wanted: Wanted, limit: int) -> list[list[Card]]:
    """All pages from first to last, then back to the first; checked on the way."""
    pages = [page(catalogue, wanted, limit=limit)]
    while pages[-1].next:
        pages.append(page(catalogue, wanted, after=pages[-1].next, limit=limit))
    back: list[Page] = []
    here = pages[-1]
    while here.previous:
        here = page(catalogue, wanted, after=here.previous, limit=limit)
        back.append(here)
    assert [one.images for one in reversed(back)] == [one.images for one in pages[:-1]]
    assert {one.total for one in pages} == {sum(len(one.images) for one in pages)}
    return [list(one.images) for one in pages]


def _ids(pages: list[list[Card]]) -> list[int]:
    return [card.id for one in pages for card in one]


@pytest.mark.slow
def test_pages_walk_ten_thousand_photos_both_ways(
    catalogue: Catalogue, db: Database, folder_id: int
) -> None:
    many(db, folder_id, 10_000)
    intake.take(catalogue, db)

    for sort in Sort:
        pages = _walk(catalogue, Wanted(sort=sort), limit=900)
        assert sorted(_ids(pages)) == list(range(1, 10_001)), sort
        _in_order(sort, [card for one in pages for card in one])


def _in_order(sort: Sort, cards: list[Card]) -> None:
    """The cards stand in the order asked for, as far as they show it."""
    shown: dict[Sort, Callable[[Card], int | str]] = {
        Sort.NEWEST: lambda card: -card.id,
        Sort.RELEVANCE: lambda card: -card.id,
        Sort.OLDEST: lambda card: card.id,
        Sort.NAME: lambda card: int(card.name[3:-4]),
        Sort.SIZE: lambda card: -size_of(card.id - 1),
        Sort.RATING: lambda card: -(rating_of(card.id - 1) or 0),
        Sort.QUALITY: lambda card: (
            -(-1 if (q := quality_of(card.id - 1)) is None else q)
        ),
    }
    if sort is Sort.TAKEN:
        dates = [card.taken_at or "" for card in cards]
        assert dates == sorted(dates, reverse=True)
    else:
        assert cards == sorted(cards, key=shown[sort])


def test_pages_of_a_search_walk_both_ways(
    catalogue: Catalogue, db: Database, folder_id: int
) -> None:
    many(db, folder_id, 2_000)
    intake.take(catalogue, db)
    expected = [n + 1 for n in range(2_000) if "river" in words_of(n)]

    for sort in Sort:
        pages = _walk(catalogue, Wanted(query="river", sort=sort), limit=170)
        assert sorted(_ids(pages)) == expected, sort


def test_filters_and_words_choose_the_same_photos(
    catalogue: Catalogue, db: Database, folder_id: int
) -> None:
    many(db, folder_id, 600)
    intake.take(catalogue, db)

    for filters in (
        {"tags": ("river",)},
        {"month": "2024-05"},
        {"month": "2024", "tags": ("forest", "river")},
        {"folder_id": folder_id, "state": ImageState.TAGGED},
        {"state": ImageState.FAILED},
    ):
        plain = Wanted(**filters)  # type: ignore[arg-type]
        worded = Wanted(query="img*", **filters)  # type: ignore[arg-type]
        assert page(catalogue, plain) == page(catalogue, worded)
        assert tag_counts(catalogue, plain) == tag_counts(catalogue, worded)
        assert months(catalogue, plain) == months(catalogue, worded)
        assert counts(catalogue, plain) == counts(catalogue, worded)


def test_photos_that_arrive_meanwhile_shift_no_page(
    catalogue: Catalogue, db: Database, folder_id: int
) -> None:
    many(db, folder_id, 100)
    intake.take(catalogue, db)
    first = page(catalogue, Wanted(), limit=30)
    many(db, folder_id, 50, start=100)
    intake.take(catalogue, db)
    second = page(catalogue, Wanted(), after=first.next, limit=30)

    assert [card.id for card in first.images] == list(range(100, 70, -1))
    assert [card.id for card in second.images] == list(range(70, 40, -1))
    assert second.total == 150


def test_a_page_by_relevance_goes_on_after_the_photo_it_ended_with(
    catalogue: Catalogue, db: Database, folder_id: int
) -> None:
    tagged(db, folder_id, *[Photo(name=f"{n}.jpg", tags=["fox"]) for n in range(9)])
    intake.take(catalogue, db)
    wanted = Wanted(query="fox", sort="relevance")
    first = page(catalogue, wanted, limit=3)
    better = Photo(name="better.jpg", description="Fox fox fox.", tags=["fox"])
    tagged(db, folder_id, better)
    intake.take(catalogue, db)
    assert page(catalogue, wanted, limit=1).images[0].name == "better.jpg"
    second = page(catalogue, wanted, after=first.next, limit=3)

    assert not {c.id for c in first.images} & {c.id for c in second.images}
    assert second.images[0].name == "3.jpg"


def test_file_names_are_ordered_as_people_count(
    catalogue: Catalogue, db: Database, folder_id: int
) -> None:
    names = ["img10.jpg", "IMG2.jpg", "a.jpg", "img1.jpg"]
    tagged(db, folder_id, *[Photo(name=name) for name in names])
    intake.take(catalogue, db)

    listed = page(catalogue, Wanted(sort="name")).images
    assert [card.name for card in listed] == [
        "a.jpg",
        "img1.jpg",
        "IMG2.jpg",
        "img10.jpg",
    ]


@pytest.mark.parametrize(
    "mark",
    ["nonsense", "é", "e30", "WzEsMiwzLDRd", "WyJuYW1lIixmYWxzZSwiYSIsMV0", "A" * 9999],
)
def test_a_mark_that_is_none_of_ours_is_refused(
    catalogue: Catalogue, mark: str
) -> None:
    with pytest.raises(UsageError, match="start at page one"):
        page(catalogue, Wanted(), after=mark)


def test_a_mark_of_another_list_is_refused(
    catalogue: Catalogue, db: Database, folder_id: int
) -> None:
    many(db, folder_id, 10)
    intake.take(catalogue, db)
    mark = page(catalogue, Wanted(sort="name"), limit=3).next

    with pytest.raises(UsageError, match="another list"):
        page(catalogue, Wanted(sort="size"), after=mark)


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (Wanted(sort="colour"), "cannot be sorted by 'colour'"),
        (Wanted(month="May"), "'May' is no month"),
        (Wanted(month="2024-13"), "'2024-13' is no month"),
        (Wanted(query='"'), "not closed"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(
    catalogue: Catalogue, wanted: Wanted, reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        page(catalogue, wanted)


@pytest.mark.parametrize("limit", [0, -1, 1_001])
def test_a_page_has_a_sensible_size(catalogue: Catalogue, limit: int) -> None:
    with pytest.raises(UsageError, match="1 to 1000"):
        page(catalogue, Wanted(), limit=limit)


def test_an_empty_catalogue_answers_every_question(catalogue: Catalogue) -> None:
    assert page(catalogue, Wanted()) == Page(images=(), total=0)
    assert page(catalogue, Wanted(query="dog", sort="relevance")).total == 0
    assert page(catalogue, Wanted(tags=("dog",))).total == 0
    assert counts(catalogue).total == 0
    for ask in (tag_counts, months, folder_counts, recent):
        assert ask(catalogue) == []  # type: ignore[operator]


@pytest.mark.parametrize("image_id", [1, 0, -5, 2**70])
def test_a_photo_that_is_not_there_is_said_so(
    catalogue: Catalogue, image_id: int
) -> None:
    with pytest.raises(NotFound, match=f"no photo number {image_id}"):
        image(catalogue, image_id)


# Counting


@pytest.fixture
def album(catalogue: Catalogue, db: Database, folder_id: int) -> list[int]:
    ids = tagged(
        db,
        folder_id,
        Photo(name="a.jpg", tags=["Dog", "sea"], taken_at="2024-05-01T10:00:00"),
        Photo(name="b.jpg", tags=["dog"], taken_at="2024-05-31T10:00:00"),
        Photo(name="c.jpg", tags=["cat"], taken_at="2023-01-01T10:00:00"),
        Photo(name="d.jpg", failed="it is empty"),
        Photo(name="e.jpg", failed="it is empty"),
        Photo(name="f.jpg", failed="it is no picture"),
    )
    intake.take(catalogue, db)
    return ids


@pytest.mark.usefixtures("album")
def test_tags_are_counted_under_every_filter(catalogue: Catalogue) -> None:
    def counted(wanted: Wanted) -> dict[str, int]:
        return {tag.name: tag.count for tag in tag_counts(catalogue, wanted)}

    assert counted(Wanted()) == {"Dog": 2, "cat": 1, "sea": 1}
    assert counted(Wanted(tags=("DOG",))) == {"Dog": 2, "sea": 1}
    assert counted(Wanted(month="2023")) == {"cat": 1}
    assert counted(Wanted(query="tag:sea")) == {"Dog": 1, "sea": 1}
    assert [tag.name for tag in tag_counts(catalogue, limit=1)] == ["Dog"]


def test_tags_of_equally_many_photos_are_counted_in_the_order_of_their_names(
    catalogue: Catalogue, db: Database, folder_id: int
) -> None:
    names = [f"tag {number:02}" for number in range(40)]
    tagged(db, folder_id, Photo(name="a.jpg", tags=["most", *reversed(names)]))
    tagged(db, folder_id, Photo(name="b.jpg", tags=["most"]))
    intake.take(catalogue, db)

    for wanted in (Wanted(), Wanted(query="photo"), Wanted(tags=("most",))):
        listed = [tag.name for tag in tag_counts(catalogue, wanted, limit=4)]
        assert listed == ["most", *names[:3]]


def test_pages_by_age_walk_over_ids_that_are_gone(
    catalogue: Catalogue, db: Database, tmp_path: Path
) -> None:
    kept, gone = add_folder(db, tmp_path / "kept"), add_folder(db, tmp_path / "gone")
    many(db, kept, 10)
    many(db, gone, 400, start=10)
    many(db, kept, 10, start=410)
    folders.remove(db, gone)
    intake.take(catalogue, db)

    for sort, expected in (
        ("oldest", [*range(1, 11), *range(411, 421)]),
        ("newest", [*range(420, 410, -1), *range(10, 0, -1)]),
    ):
        first = page(catalogue, Wanted(sort=sort), limit=8)
        second = page(catalogue, Wanted(sort=sort), after=first.next, limit=8)
        third = page(catalogue, Wanted(sort=sort), after=second.next, limit=8)
        walked = [card.id for one in (first, second, third) for card in one.images]
        assert walked == expected
        assert (third.next, third.total) == (None, 20)
        back = page(catalogue, Wanted(sort=sort), after=third.previous, limit=8)
        assert back.images == second.images


@pytest.mark.usefixtures("album")
def test_photos_are_counted_by_month_state_and_folder(
    catalogue: Catalogue, folder_id: int
) -> None:
    assert months(catalogue) == [("2023-01", 1), ("2024-05", 2)]
    found = counts(catalogue)
    assert (found.total, found.tagged, found.failed) == (6, 3, 3)
    assert (found.tags, found.folders) == (3, 1)
    (folder,) = folder_counts(catalogue)
    assert (folder.folder_id, folder.total, folder.failed) == (folder_id, 6, 3)


def test_the_last_activity_comes_first(catalogue: Catalogue, album: list[int]) -> None:
    assert [one.id for one in recent(catalogue)] == album[::-1]
    assert [one.name for one in recent(catalogue, limit=2)] == ["f.jpg", "e.jpg"]


@pytest.mark.usefixtures("album")
def test_missing_photos_are_listed_only_when_asked_for(
    catalogue: Catalogue, db: Database, folder_id: int
) -> None:
    vanish(db, folder_id)
    intake.take(catalogue, db)

    assert page(catalogue, Wanted()).total == 0
    assert page(catalogue, Wanted(state=ImageState.MISSING)).total == 6
    assert folder_counts(catalogue)[0].missing == 6
