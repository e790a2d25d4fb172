"""A person's SQL answers what it is asked, within its limits, and does nothing else."""

import csv
import io
import json
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tagger.catalogue import intake, schema, sql, sqlcheck, views
from tagger.catalogue.compare import differences
from tagger.catalogue.export import export
from tagger.catalogue.questions import Wanted
from tagger.catalogue.sqlexamples import EXAMPLES
from tagger.catalogue.store import Catalogue, exports_dir
from tagger.errors import SqlError, UsageError
from tagger.tracking import runs
from tagger.tracking.database import Database
from tests.support_catalogue import (
    Photo,
    add_folder,
    many,
    open_catalogue,
    tagged,
    vanish,
)

DOCS = (Path(__file__).parent.parent / "docs" / "SQL.md").read_text()
DOCUMENTED = re.findall(r"```sql\n(.*?)```", DOCS, re.S)
ENDLESS = (
    "SELECT count(*) FROM range(100000000) a, range(100000000) b "
    "WHERE a.range + b.range < random() - 1"
)


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with open_catalogue(tmp_path / "it's") as opened:
        yield opened


@pytest.fixture(scope="module")
def empty(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Catalogue, Database]]:
    """A catalogue without photos, one for all questions that leave no trace."""
    path = tmp_path_factory.mktemp("it's")
    with Database.open(path / "data" / "tracking.db") as db, open_catalogue(path) as c:
        yield c, db


@pytest.fixture
def folder_id(db: Database, tmp_path: Path) -> int:
    return add_folder(db, tmp_path / "photos")


@pytest.fixture
def few(catalogue: Catalogue, db: Database, folder_id: int) -> list[int]:
    """Three photos with words, one of them twice, and one that failed."""
    ids = tagged(
        db,
        folder_id,
        Photo(
            name="a.jpg",
            tags=["dog", "beach"],
            found_tags=["Rex"],
            taken_at="2024-05-01T10:00:00",
            camera="X-T4",
        ),
        Photo(name="b.jpg", tags=["dog"], taken_at="2024-06-01T10:00:00"),
        Photo(name="c.jpg", tags=["cat"], model="llava"),
        Photo(name="d.jpg", failed="the file ends too early"),
    )
    intake.take(catalogue, db)
    return ids


def rows(
    catalogue: Catalogue, db: Database, text: str, *, most_rows: int = 1000
) -> list[tuple[object, ...]]:
    answer = sql.ask(catalogue, db, text, timeout_s=20, most_rows=most_rows)
    return list(answer.rows)


# What can be asked


def test_photos_tags_results_failures_and_runs_can_be_joined(
    catalogue: Catalogue, db: Database, few: list[int]
) -> None:
    run_id = runs.begin(db, "tag")
    runs.end(db, run_id)

    def ask(text: str) -> list[tuple[object, ...]]:
        return rows(catalogue, db, text)

    assert ask("SELECT name, tags FROM photos ORDER BY id") == [
        ("a.jpg", ["beach", "dog", "Rex"]),
        ("b.jpg", ["dog"]),
        ("c.jpg", ["cat"]),
        ("d.jpg", []),
    ]
    assert ask("SELECT name, photos FROM tags ORDER BY photos DESC, name") == [
        ("dog", 2),
        ("Rex", 1),
        ("beach", 1),
        ("cat", 1),
    ]
    assert ask(
        "SELECT name, tag FROM photos JOIN photo_tags ON photo_id = photos.id "
        "WHERE source = 'file'"
    ) == [("a.jpg", "Rex")]
    assert ask("SELECT model, count(*), sum(tokens_in) FROM results GROUP BY 1") == [
        ("gemma3:4b", 2, 20),
        ("llava", 1, 10),
    ] or ask("SELECT count(*) FROM results") == [(3,)]
    assert ask("SELECT state, reason FROM failures") == [
        ("failed", "the file ends too early")
    ]
    assert ask("SELECT id, kind, ended_at IS NULL FROM runs") == [
        (run_id, "tag", False)
    ]
    assert ask("SELECT month(taken_at) FROM photos WHERE camera = 'X-T4'") == [(5,)]


def test_missing_photos_are_in_photos_and_not_in_the_counts_of_tags(
    catalogue: Catalogue, db: Database, folder_id: int, few: list[int]
) -> None:
    vanish(db, folder_id)
    intake.take(catalogue, db)

    assert rows(catalogue, db, "SELECT DISTINCT state FROM photos") == [("missing",)]
    assert rows(catalogue, db, "SELECT sum(photos) FROM tags") == [(0,)]


@pytest.mark.parametrize("view", views.VIEWS, ids=lambda view: view.name)
def test_a_view_has_the_columns_and_types_it_promises(
    empty: tuple[Catalogue, Database], view: views.View
) -> None:
    catalogue, db = empty
    answer = sql.ask(
        catalogue, db, f"SELECT * FROM {view.name}", timeout_s=9, most_rows=1
    )
    assert [(c.name, c.kind) for c in answer.columns] == [
        (c.name, c.kind) for c in view.columns
    ]
    for column in view.columns:
        assert f"| `{column.name}` | {column.kind} | {column.means} |" in DOCS
    assert f"### {view.name}\n\n{view.about}\n" in DOCS


@pytest.mark.parametrize("text", [*EXAMPLES.values(), *DOCUMENTED])
def test_every_example_is_answered(
    catalogue: Catalogue, db: Database, few: list[int], text: str
) -> None:
    answer = sql.ask(catalogue, db, text, timeout_s=20, most_rows=100)
    assert answer.columns
    assert text.strip() in {one.strip() for one in DOCUMENTED}


def test_the_answers_of_some_examples_are_what_the_photos_say(
    catalogue: Catalogue, db: Database, few: list[int]
) -> None:
    assert len(DOCUMENTED) >= 12

    def ask(name: str) -> list[tuple[object, ...]]:
        return rows(catalogue, db, EXAMPLES[name])

    assert ask("The most frequent tags")[0] == ("dog", 2)
    assert ask("Photos a month") == [("2024-05", 1), ("2024-06", 1)]
    assert ("beach", "dog", 1) in ask("Tags that go together")
    assert ask("Why photos failed") == [("the file ends too early", 1)]


def test_views_outlive_a_rebuild_and_a_catalogue_of_another_version(
    catalogue: Catalogue, db: Database, few: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = "SELECT name, tags FROM photos ORDER BY id"
    before = rows(catalogue, db, asked)
    intake.rebuild(catalogue, db)
    assert rows(catalogue, db, asked) == before

    path = catalogue.path
    catalogue.close()
    monkeypatch.setattr(schema, "VERSION", "another")
    with Catalogue.open(path, path.parent / "search") as fresh:
        assert rows(fresh, db, asked) == []
        intake.take(fresh, db)
        assert rows(fresh, db, asked) == before
        assert differences(fresh, db) == []


def test_a_question_runs_while_the_catalogue_is_filled(
    catalogue: Catalogue, db: Database, folder_id: int
) -> None:
    many(db, folder_id, 500)
    taking = threading.Thread(target=lambda: intake.take(catalogue, db, batch_rows=50))
    taking.start()
    counts = []
    while taking.is_alive():
        counts.append(rows(catalogue, db, "SELECT count(*) FROM photos")[0][0])
    taking.join()
    assert counts == sorted(counts, key=lambda count: int(str(count)))
    assert rows(catalogue, db, "SELECT count(*) FROM photos") == [(500,)]


def test_values_are_as_json_has_them(empty: tuple[Catalogue, Database]) -> None:
    catalogue, db = empty
    (row,) = rows(
        catalogue,
        db,
        "SELECT DATE '2024-05-01', TIMESTAMP '2024-05-01 10:00:00', 1.5::DECIMAL(3,1), "
        "'inf'::DOUBLE, 170141183460469231731687303715884105727::HUGEINT, "
        "'\\x00a'::BLOB, [DATE '2024-05-01'], {'a': NULL}, INTERVAL 3 DAY",
    )
    assert json.loads(json.dumps(row)) == [
        *("2024-05-01", "2024-05-01T10:00:00", 1.5, None),
        *("170141183460469231731687303715884105727", "0061", ["2024-05-01"]),
        *({"a": None}, "3 days, 0:00:00"),
    ]


# What is refused


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "Write a SELECT"),
        (" ; -- nothing", "Write a SELECT"),
        ("SELECT 1; SELECT 2", "One SELECT at a time"),
        ("SELECT 1; DROP TABLE images", "One SELECT at a time"),
        ("INSERT INTO photos VALUES (1)", "this is INSERT"),
        ("DELETE FROM images", "this is DELETE"),
        ("DROP TABLE images", "this is DROP"),
        ("CREATE TABLE x AS SELECT 1", "this is CREATE"),
        ("UPDATE images SET name = ''", "this is UPDATE"),
        ("COPY (SELECT 1) TO 'x.csv'", "this is COPY"),
        ("COPY images FROM 'x.csv'", "this is COPY"),
        ("EXPORT DATABASE 'x'", "this is EXPORT"),
        ("ATTACH 'x.db'", "this is ATTACH"),
        ("SET memory_limit = '9GB'", "this is SET"),
        ("RESET memory_limit", "this is SET"),
        ("PRAGMA database_list", "Only SELECT|this is"),
        ("PRAGMA version", "Only SELECT|this is"),
        ("CALL pragma_version()", "this is CALL"),
        ("INSTALL httpfs", "this is LOAD"),
        ("LOAD httpfs", "this is LOAD"),
        ("BEGIN", "this is TRANSACTION"),
        ("CHECKPOINT", "Only SELECT|this is"),
        ("EXPLAIN SELECT 1", "this is EXPLAIN"),
        ("PREPARE p AS SELECT 1", "this is PREPARE"),
        ("WITH a AS (DELETE FROM images RETURNING *) SELECT * FROM a", "SELECT"),
        ("SHOW TABLES", "SHOW is not offered"),
        ("SELECT * FROM (SHOW DATABASES)", "SHOW is not offered"),
        ("SELECT ?", "nothing to put in"),
        ("SELECT $who", "nothing to put in"),
        ("SELECT * FROM images", "no table images here; there are failures"),
        ("SELECT * FROM state", "no table state"),
        ("SELECT * FROM main.photos", "no table main.photos"),
        ("DESCRIBE images", "no table images"),
        ("SUMMARIZE image_tags", "no table image_tags"),
        ("SELECT * FROM duckdb_tables", "no table"),
        ("SELECT * FROM sqlite_master", "no table"),
        ("SELECT * FROM information_schema.tables", "no table"),
        ("SELECT * FROM pg_catalog.pg_settings", "no table"),
        ("SELECT (SELECT max(id) FROM images)", "no table images"),
        ("SELECT 1 WHERE EXISTS (FROM images)", "no table images"),
        ("SELECT * FROM photos, LATERAL (SELECT * FROM images)", "no table images"),
        ("SELECT 1 UNION ALL SELECT id FROM images", "no table images"),
        ("SELECT * FROM (PIVOT images ON state IN ('a'))", "no table images"),
        ("SELECT 1 ORDER BY (SELECT max(id) FROM images)", "no table images"),
        (
            "SELECT list_transform([1], lambda x: (SELECT max(id) FROM images))",
            "images",
        ),
        ("SELECT * FROM '/etc/passwd'", "no table /etc/passwd"),
        ("SELECT * FROM 'x.parquet'", "no table x.parquet"),
        ("SELECT * FROM 'https://example.org/x.csv'", "no table https:"),
        ("SELECT * FROM read_csv('/etc/passwd')", "read_csv cannot stand in FROM"),
        ("SELECT * FROM read_text('/etc/passwd')", "read_text cannot stand in FROM"),
        ("SELECT * FROM read_blob('x')", "read_blob cannot stand in FROM"),
        ("SELECT * FROM read_parquet('x')", "read_parquet cannot stand in FROM"),
        ("SELECT * FROM read_json('x')", "read_json cannot stand in FROM"),
        ("SELECT * FROM glob('/*')", "glob cannot stand in FROM"),
        ("SELECT * FROM sniff_csv('x')", "sniff_csv cannot stand in FROM"),
        ("SELECT * FROM sqlite_scan('x', 'files')", "sqlite_scan cannot stand"),
        ("SELECT * FROM parquet_metadata('x')", "cannot stand in FROM"),
        ("SELECT * FROM duckdb_settings()", "duckdb_settings cannot stand in FROM"),
        ("SELECT * FROM duckdb_secrets()", "cannot stand in FROM"),
        ("SELECT * FROM query('SELECT * FROM images')", "query cannot stand in FROM"),
        ("SELECT * FROM query_table('images')", "query_table cannot stand in FROM"),
        ("SELECT * FROM histogram(images, id)", "histogram cannot stand in FROM"),
        ("SELECT * FROM json_execute_serialized_sql('x')", "cannot stand in FROM"),
        ("SELECT * FROM pragma_table_info('images')", "cannot stand in FROM"),
        ("SELECT getenv('HOME')", "getenv is not offered"),
        ("SELECT current_setting('temp_directory')", "current_setting is not offered"),
        ("SELECT main.current_setting('temp_directory')", "current_setting is not"),
        ("SELECT getvariable('x')", "getvariable is not offered"),
        ("SELECT write_log('x')", "write_log is not offered"),
        ("SELECT repeat('a', 2000000000)", "repeat is not offered"),
        ("SELECT lpad('a', 2000000000, 'b')", "lpad is not offered"),
        ("SELECT range(300000000)", "range can stand in FROM only"),
        ("SELECT format('{:>1000000000}', 'a')", "widths below 1000"),
        ("SELECT printf('%1000000000d', 1)", "widths below 1000"),
        ("SELECT format('{:>{}}', 'a', 1000000000)", "widths below 1000"),
        ("SELECT printf('%*d', 1000000000, 1)", "widths below 1000"),
        ("SELECT format(name, 1) FROM photos", "has to be a text"),
        ("SELECT unnest(generate_series(1, 300000000))", "can stand in FROM only"),
        ("SELECT sum(x) FILTER (repeat('a', 9) = '') FROM (VALUES (1)) t(x)", "repeat"),
        ("SELECT '\0'", "no text"),
        ("SELECT '\ud800'", "no text"),
        ("SELECT " + "1 + " * 30_000 + "1", "up to 100,000 characters"),
        ("SELECT nothing FROM photos", 'column "nothing" not found'),
        ("SELECT sum(name) FROM photos", "No function matches"),
        ("SELECT 1 +", "syntax error"),
    ],
)
def test_what_is_no_question_about_the_tables_is_refused_and_says_why(
    empty: tuple[Catalogue, Database], text: str, says: str
) -> None:
    catalogue, db = empty
    with pytest.raises(SqlError, match=says):
        sql.ask(catalogue, db, text, timeout_s=20, most_rows=10)
    with pytest.raises(SqlError, match=says):
        sql.write(catalogue, db, text, "csv", timeout_s=20, most_rows=10)
    assert list(exports_dir(catalogue.path).iterdir()) == []


@pytest.mark.parametrize(
    "text",
    [
        "WITH images AS (SELECT 1) SELECT * FROM images",
        "WITH RECURSIVE a AS (SELECT 1 x UNION ALL SELECT x + 1 FROM a WHERE x < 3) "
        "SELECT * FROM a",
        "SELECT * FROM range(3), json_each('[1]'), unnest([1, 2])",
        "VALUES (1), (2)",
        "SELECT format('{:,} of {}', 12345, 'a'), printf('%08.2f%%', 1.5)",
        "FROM photos",
        "TABLE tags",
        "SUMMARIZE photos",
        "describe runs",
        "SELECT DISTINCT ON (state) * FROM PHOTOS ORDER BY id -- the end",
        "(SELECT 1);",
        "SELECT * FROM (PIVOT photos ON state IN ('tagged') USING count(*))",
    ],
)
def test_every_form_of_a_question_is_answered_and_written(
    catalogue: Catalogue, db: Database, few: list[int], text: str
) -> None:
    found = rows(catalogue, db, text)
    written = sql.write(catalogue, db, text, "jsonl", timeout_s=20, most_rows=1000)
    assert len(b"".join(written.pieces).splitlines()) == len(found) == written.rows


@pytest.mark.parametrize(
    "text",
    [
        # The name is the system's where WITH has not given it yet, or no more.
        "WITH a AS (SELECT * FROM pg_settings), pg_settings AS (SELECT 1) FROM a",
        "SELECT (WITH images AS (SELECT 1 x) SELECT x FROM images), * FROM images",
        "WITH images AS (SELECT * FROM images) SELECT * FROM images",
        "WITH RECURSIVE images AS (SELECT id FROM images UNION ALL "
        "SELECT id FROM images WHERE false) SELECT * FROM images",
    ],
)
def test_a_name_that_with_gives_elsewhere_opens_no_table(
    empty: tuple[Catalogue, Database], text: str
) -> None:
    catalogue, db = empty
    with pytest.raises(SqlError, match="no table"):
        rows(catalogue, db, text)


def test_a_mistake_is_shown_at_its_place(empty: tuple[Catalogue, Database]) -> None:
    catalogue, db = empty
    with pytest.raises(SqlError) as raised:
        rows(catalogue, db, "SELECT nothing FROM photos")
    first, second = raised.value.pointer.splitlines()
    assert first[second.index("^") :].startswith("nothing")


# The confinement that holds without the check


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM read_csv('{secret}')",
        "SELECT * FROM read_text('{secret}')",
        "SELECT * FROM '{secret}'",
        "SELECT * FROM read_text('{exports}/../secret.csv')",
        "SELECT * FROM glob('{folder}/*')",
        "SELECT * FROM read_csv('https://127.0.0.1:9/x.csv')",
        "SELECT * FROM sqlite_scan('{tracking}', 'files')",
        "SELECT * FROM parquet_metadata('{secret}')",
        "COPY (SELECT 1) TO '{folder}/stolen.csv'",
        "ATTACH '{tracking}' AS t (TYPE sqlite)",
        "ATTACH '{folder}/other.duckdb'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "LOAD '{folder}/x.duckdb_extension'",
        "SET enable_external_access = true",
        "SET allowed_directories = ['/']",
        "SET lock_configuration = false",
        "SET memory_limit = '64GiB'",
        "RESET memory_limit",
        "SELECT getenv('HOME')",
        "SELECT * FROM local_variable",
    ],
)
def test_the_whole_instance_is_locked_in(
    empty: tuple[Catalogue, Database], text: str
) -> None:
    catalogue, db = empty
    folder = catalogue.path.parent
    (folder / "secret.csv").write_text("a,b\n1,2\n")
    local_variable = {"a": [1]}
    places = {
        "secret": folder / "secret.csv",
        "folder": folder,
        "exports": exports_dir(catalogue.path),
        "tracking": db.path,
    }
    for name, place in places.items():
        text = text.replace(f"{{{name}}}", str(place).replace("'", "''"))
    with catalogue.cursor() as cursor, pytest.raises(duckdb.Error):
        cursor.execute(text).fetchall()
    assert local_variable
    assert not (folder / "stolen.csv").exists()


def test_a_question_that_passed_the_check_could_still_write_nothing(
    catalogue: Catalogue, db: Database, few: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "check", lambda *_: frozenset())
    for text in (
        "DELETE FROM images",
        "DROP TABLE images",
        "INSERT INTO state BY NAME SELECT 'a' AS key",
    ):
        with pytest.raises(SqlError, match="read-only"):
            rows(catalogue, db, text)
    monkeypatch.undo()
    assert rows(catalogue, db, "SELECT count(*) FROM photos") == [(4,)]


def test_exports_still_work_and_leave_nothing(
    catalogue: Catalogue, db: Database, few: list[int], tmp_path: Path
) -> None:
    assert export(catalogue, Wanted(), tmp_path / "o.parquet", "parquet") == 4
    assert list(exports_dir(catalogue.path).iterdir()) == []


def test_what_a_killed_process_left_of_exports_is_swept(catalogue: Catalogue) -> None:
    (exports_dir(catalogue.path) / "left").mkdir()
    path = catalogue.path
    catalogue.close()
    with Catalogue.open(path, path.parent / "search"):
        assert list(exports_dir(path).iterdir()) == []


# Limits


def test_a_question_is_stopped_when_its_time_is_over(
    catalogue: Catalogue, db: Database, few: list[int]
) -> None:
    began = time.monotonic()
    with pytest.raises(SqlError, match=r"Stopped after 0\.5 s.*sql_timeout_s"):
        sql.ask(catalogue, db, ENDLESS, timeout_s=0.5, most_rows=10)
    with pytest.raises(SqlError, match="Stopped"):
        sql.write(catalogue, db, ENDLESS, "csv", timeout_s=0.5, most_rows=10)
    assert time.monotonic() - began < 10
    assert list(exports_dir(catalogue.path).iterdir()) == []
    assert rows(catalogue, db, "SELECT count(*) FROM photos") == [(4,)]
    assert not [t for t in threading.enumerate() if t.name == "sql-time"]


def test_an_answer_is_cut_at_its_rows_and_says_so(
    catalogue: Catalogue, db: Database
) -> None:
    asked = "SELECT * FROM range({})"
    for there, cut in ((9, False), (10, False), (11, True), (1_000_000_000, True)):
        answer = sql.ask(catalogue, db, asked.format(there), timeout_s=20, most_rows=10)
        assert (len(answer.rows), answer.cut) == (min(there, 10), cut)
    written = sql.write(
        catalogue, db, asked.format(50), "jsonl", timeout_s=9, most_rows=10
    )
    assert (written.rows, written.full) == (10, True)
    assert len(b"".join(written.pieces).splitlines()) == 10


def test_an_answer_of_long_texts_is_cut_at_its_size(
    catalogue: Catalogue, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "MOST_CHARACTERS", 10_000)
    answer = sql.ask(
        catalogue,
        db,
        f"SELECT ['{'x' * 1000}'] FROM range(1000)",
        timeout_s=9,
        most_rows=1000,
    )
    assert answer.cut
    assert 10 <= len(answer.rows) < 20


@pytest.mark.slow
def test_what_needs_more_memory_than_there_is_is_told_so(
    catalogue: Catalogue, db: Database
) -> None:
    with pytest.raises(SqlError, match="more memory than the catalogue has"):
        rows(
            catalogue,
            db,
            "SELECT length(string_agg(md5(range::VARCHAR), '')) FROM range(1000000000)",
        )
    assert rows(catalogue, db, "SELECT count(*) FROM photos") == [(0,)]


# Files


def test_a_csv_is_safe_in_a_spreadsheet_to_its_column_names(
    catalogue: Catalogue, db: Database, folder_id: int
) -> None:
    hostile = ["=1+1", "+1", "-2", "@x", "\uff1d1", "\uff0b1", "\uff0d1", "\uff201"]
    tagged(db, folder_id, Photo(name="a.jpg", tags=hostile, description="\t=1"))
    intake.take(catalogue, db)
    asked = (
        "SELECT description AS \"=name\", tags, {'a': 1} AS pair, -5 AS number, "
        "[-1, 2] AS numbers, tags[1] || '' AS \"it's\" FROM photos"
    )

    def table(formula_safe: bool) -> list[list[str]]:
        written = sql.write(
            *(catalogue, db, asked, "csv"),
            timeout_s=9,
            most_rows=9,
            formula_safe=formula_safe,
        )
        text = b"".join(written.pieces).decode()
        return list(csv.reader(io.StringIO(text, newline="")))

    names, cells = table(True)
    assert names == ["'=name", "tags", "pair", "number", "numbers", "it's"]
    assert cells[0] == "'\t=1"
    assert sorted(cells[1].split(";")) == sorted(f"'{tag}" for tag in hostile)
    assert cells[2:5] == ["{'a': 1}", "-5", "[-1, 2]"]
    assert cells[5].startswith("'")
    names, cells = table(False)
    assert names[0] == "=name"
    assert cells[0] == "\t=1"
    assert sorted(cells[1].split(";")) == sorted(hostile)


def test_parquet_and_json_lines_hold_lists_and_times(
    catalogue: Catalogue, db: Database, few: list[int], tmp_path: Path
) -> None:
    asked = "SELECT name, tags, taken_at FROM photos ORDER BY id LIMIT 1"
    out = tmp_path / "o.parquet"
    written = sql.write(catalogue, db, asked, "parquet", timeout_s=9, most_rows=9)
    out.write_bytes(b"".join(written.pieces))
    (row,) = duckdb.execute(
        "SELECT name, tags, taken_at::VARCHAR FROM read_parquet(?)", [str(out)]
    ).fetchall()
    assert row == ("a.jpg", ["beach", "dog", "Rex"], "2024-05-01 10:00:00")
    (codec,) = duckdb.execute(
        "SELECT DISTINCT compression FROM parquet_metadata(?)", [str(out)]
    ).fetchall()
    assert codec == ("ZSTD",)
    written = sql.write(catalogue, db, asked, "jsonl", timeout_s=9, most_rows=9)
    assert json.loads(b"".join(written.pieces))["tags"] == ["beach", "dog", "Rex"]
    with pytest.raises(UsageError, match="no format"):
        sql.write(catalogue, db, asked, "xlsx", timeout_s=9, most_rows=9)


def test_what_docs_say_is_offered_is_what_is_offered() -> None:
    for name in sqlcheck._BOUNDLESS - {
        "array_resize",
        "bitstring",
        "pg_sleep",
        "sleep_ms",
    }:
        assert f"`{name}`" in DOCS
