"""Exports carry every photo wanted, and nothing that a spreadsheet would run."""

import csv
import io
import itertools
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tagger.catalogue import intake, parts
from tagger.catalogue.export import COLUMNS, export, format_of, stream
from tagger.catalogue.questions import Wanted
from tagger.catalogue.store import Catalogue
from tagger.errors import UsageError
from tagger.tracking import changes
from tagger.tracking.database import Database
from tests.support_catalogue import (
    Photo,
    add_folder,
    many,
    open_catalogue,
    tagged,
)

WIDE = ["\uff1d1+1", "\uff0b1", "\uff0d2", "\uff20SUM(A1)"]
HOSTILE = ["=1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", *WIDE]
SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with open_catalogue(tmp_path / "it's") as opened:
        yield opened


@pytest.fixture
def folder_id(db: Database, tmp_path: Path) -> int:
    return add_folder(db, tmp_path / "photos")


@pytest.fixture
def hostile(catalogue: Catalogue, db: Database, folder_id: int) -> None:
    photos = [
        Photo(
            name=f"{text.strip()} {n}.jpg",
            description=f'{text}, "quoted"; and\nso on',
            tags=[text.strip(), "dog", f"{text.strip()} 2"],
            text=text,
            camera=text,
            model=text,
            gps=(-12.5, -45.0),
        )
        for n, text in enumerate(HOSTILE)
    ]
    tagged(db, folder_id, *photos)
    intake.take(catalogue, db)


def _csv(catalogue: Catalogue, **options: bool) -> list[dict[str, str]]:
    data = b"".join(stream(catalogue, Wanted(), "csv", **options))
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


@pytest.mark.usefixtures("hostile")
def test_no_cell_of_a_csv_is_taken_for_a_formula(catalogue: Catalogue) -> None:
    for n, (row, text) in enumerate(zip(_csv(catalogue), HOSTILE, strict=True)):
        numbers = {"latitude", "longitude"}
        for column in row.keys() - numbers:
            assert not row[column].startswith(SIGNS)
        assert row["text"] == f"'{text}"
        assert row["camera"] == f"'{text}"
        assert row["description"].startswith(f'\'{text}, "quoted"; and\nso on')
        assert row["name"] == f"'{text.strip()} {n}.jpg"
        assert row["tags"] == f"'{text.strip()};dog;'{text.strip()} 2"
        assert row["latitude"] == "-12.5"


@pytest.mark.usefixtures("hostile")
def test_a_plain_csv_holds_the_text_as_it_is(catalogue: Catalogue) -> None:
    rows = _csv(catalogue, formula_safe=False)
    assert [row["text"] for row in rows] == HOSTILE
    assert [row["model"] for row in rows] == HOSTILE


@pytest.mark.usefixtures("hostile")
def test_json_lines_and_parquet_hold_the_text_as_it_is(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    lines = b"".join(stream(catalogue, Wanted(), "jsonl")).decode().splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["text"] for row in rows] == HOSTILE
    assert rows[0]["tags"] == ["=1+1", "dog", "=1+1 2"]
    assert rows[0]["tag_sources"] == ["=1+1"] * 3

    out = tmp_path / "o.parquet"
    assert export(catalogue, Wanted(), out, "parquet") == len(HOSTILE)
    read = duckdb.execute("SELECT text, tags FROM read_parquet(?)", [str(out)])
    assert read.fetchall() == [
        (text, [text.strip(), "dog", f"{text.strip()} 2"]) for text in HOSTILE
    ]


def test_an_export_has_the_columns_promised(
    catalogue: Catalogue, db: Database, folder_id: int, tmp_path: Path
) -> None:
    photo = Photo(
        name="sub/a.jpg",
        description="A dog.",
        tags=["dog"],
        found_tags=["Rex"],
        text="STOP",
        taken_at="2024-05-01T10:00:00",
        camera="Canon",
        gps=(45.5, 12.25),
    )
    (image_id,) = tagged(db, folder_id, photo)
    intake.take(catalogue, db)

    (line,) = b"".join(stream(catalogue, Wanted(), "jsonl")).splitlines()
    row = json.loads(line)
    assert list(row) == list(COLUMNS)
    assert row | {"added_at": "", "answered_at": ""} == {
        "id": image_id,
        "path": str(tmp_path / "photos" / "sub" / "a.jpg"),
        "folder": str(tmp_path / "photos"),
        "name": "a.jpg",
        "state": "tagged",
        "reason": None,
        "description": "A dog.",
        "description_source": "gemma3:4b",
        "text": "STOP",
        "tags": ["Rex", "dog"],
        "tag_sources": ["file", "gemma3:4b"],
        "model": "gemma3:4b",
        "taken_at": "2024-05-01T10:00:00",
        "camera": "Canon",
        "lens": None,
        "latitude": 45.5,
        "longitude": 12.25,
        "width": 400,
        "height": 300,
        "bytes": 1000,
        "format": "JPEG",
        "rating": None,
        "quality": None,
        "added_at": "",
        "answered_at": "",
    }


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_an_export_in_many_parts_is_one_file_in_order(
    catalogue: Catalogue,
    db: Database,
    folder_id: int,
    tmp_path: Path,
    format: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parts, "PART_ROWS", 70)
    many(db, folder_id, 500)
    intake.take(catalogue, db)
    out = tmp_path / f"o.{format}"

    assert export(catalogue, Wanted(), out, format_of(out)) == 500
    reader = {"csv": "read_csv", "jsonl": "read_json", "parquet": "read_parquet"}
    rows = duckdb.execute(f"SELECT id, name FROM {reader[format]}(?)", [str(out)])
    assert rows.fetchall() == [(n + 1, f"img{n}.jpg") for n in range(500)]
    assert list((tmp_path / "it's" / "data").glob("*.exports/*")) == []


def test_only_the_photos_wanted_are_exported(
    catalogue: Catalogue, db: Database, folder_id: int
) -> None:
    many(db, folder_id, 100)
    intake.take(catalogue, db)
    out = io.BytesIO()

    assert export(catalogue, Wanted(query="number7"), out, "jsonl") == 1
    assert json.loads(out.getvalue())["name"] == "img7.jpg"
    out = io.BytesIO()
    assert export(catalogue, Wanted(month="1999"), out, "csv") == 0
    assert out.getvalue().decode().strip() == ",".join(COLUMNS)


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_an_empty_catalogue_exports_an_empty_file(
    catalogue: Catalogue, tmp_path: Path, format: str
) -> None:
    assert export(catalogue, Wanted(), tmp_path / "o", format) == 0
    assert (tmp_path / "o").exists()


def test_a_photo_taken_in_meanwhile_does_not_disturb_an_export(
    catalogue: Catalogue,
    db: Database,
    folder_id: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parts, "PART_ROWS", 10)
    many(db, folder_id, 50)
    intake.take(catalogue, db)
    pieces = stream(catalogue, Wanted(sort="newest"), "jsonl")
    lines = next(pieces)
    with db.write() as connection:
        connection.exec_driver_sql("UPDATE results SET description = 'changed'")
    many(db, folder_id, 50, start=50)
    intake.take(catalogue, db)
    lines += b"".join(pieces)

    rows = [json.loads(line) for line in lines.splitlines()]
    assert [row["id"] for row in rows] == list(range(1, 51))
    assert not any(row["description"] == "changed" for row in rows)


def test_bad_requests_are_refused_before_the_first_byte(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="not closed"):
        stream(catalogue, Wanted(query='"'), "csv")
    with pytest.raises(UsageError, match="'xlsx' is no export format"):
        stream(catalogue, Wanted(), "xlsx")
    with pytest.raises(UsageError, match="cannot be written"):
        export(catalogue, Wanted(), tmp_path / "none" / "o.csv", "csv")


def test_a_failed_export_leaves_the_file_that_was_there(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    out = tmp_path / "o.csv"
    out.mkdir()
    with pytest.raises(UsageError, match="cannot be written"):
        export(catalogue, Wanted(), out, "csv")
    assert [path.name for path in tmp_path.iterdir() if "part" in path.name] == []


def test_exports_made_while_photos_change_are_each_of_one_state(
    catalogue: Catalogue,
    db: Database,
    folder_id: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parts, "PART_ROWS", 5)
    many(db, folder_id, 50)
    with db.write() as connection:
        connection.exec_driver_sql("UPDATE results SET description = 'at first'")
    intake.take(catalogue, db)
    over = threading.Event()

    def change() -> None:
        for number in itertools.count():
            if over.is_set():
                return
            with db.write() as connection:
                connection.exec_driver_sql(
                    f"UPDATE results SET description = 'version {number}'"
                )
                changes.record(connection, changes.IMAGE, range(1, 51))
            intake.take(catalogue, db)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        states = [
            {
                json.loads(line)["description"]
                for line in b"".join(stream(catalogue, Wanted(), "jsonl")).splitlines()
            }
            for _ in range(25)
        ]
    finally:
        over.set()
        thread.join()

    assert all(len(state) == 1 for state in states), states
    assert len(set().union(*states)) > 1
