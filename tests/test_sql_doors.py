"""Questions in SQL through every door: the API, the command line and the page."""

import csv
import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pyarrow.parquet as parquet
import pytest

from pages.parts import sql_answer, sql_chart
from tagger import cli, config
from tagger.catalogue.sql import Answer, Column
from tagger.catalogue.sqlexamples import EXAMPLES
from tagger.catalogue.views import VIEWS
from tagger.errors import DataError, SqlError, UsageError
from tagger.web import asked, problems, saved
from tagger.web.links import Links
from tests import support_pages as screens
from tests.support_web import Library, library, served, settings_file
from tests.test_sql import ENDLESS

COUNT = "SELECT tag, count(*) AS photos FROM photo_tags GROUP BY tag ORDER BY tag"


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    monkeypatch.setenv("TAGGER_CONFIG", str(settings_file(tmp_path)))
    with library(tmp_path) as made:
        made.photo("a.jpg", "dog", "=1+1")
        made.photo("b.jpg", "dog", colour="blue")
        yield made


@pytest.fixture(scope="module")
def server() -> Iterator[httpx.Client]:
    with served() as client:
        yield client


@pytest.fixture
def api(server: httpx.Client, photos: Library) -> httpx.Client:
    return server


# The API


def test_a_question_is_answered_as_json(api: httpx.Client) -> None:
    answer = api.post("/api/sql", json={"sql": COUNT}).json()
    assert answer["columns"] == [
        {"name": "tag", "kind": "VARCHAR"},
        {"name": "photos", "kind": "BIGINT"},
    ]
    assert answer["rows"] == [["=1+1", 1], ["dog", 2]]
    assert answer["cut"] is False


def test_a_bad_question_is_a_problem_that_shows_the_place(api: httpx.Client) -> None:
    for path in ("/api/sql", "/api/sql/file"):
        answer = api.post(path, json={"sql": "SELECT x FROM photos"})
        assert answer.status_code == 422
        assert answer.headers["content-type"] == problems.MEDIA_TYPE
        assert '"x" not found' in answer.json()["detail"]
        assert answer.json()["pointer"].startswith("LINE 1: SELECT x")
    assert "SELECT" in api.post("/api/sql", json={"sql": "DROP TABLE a"}).text


def test_an_answer_is_cut_at_the_setting(
    api: httpx.Client, photos: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAGGER_CATALOGUE__SQL_ROWS", "1")
    monkeypatch.setenv("TAGGER_CATALOGUE__SQL_FILE_ROWS", "2")
    photos.opened.config = config.load()
    answer = api.post("/api/sql", json={"sql": COUNT}).json()
    assert (len(answer["rows"]), answer["cut"]) == (1, True)
    for question, full in ((COUNT, "1"), (f"{COUNT} LIMIT 1", "0")):
        file = api.post("/api/sql/file", json={"sql": question, "format": "jsonl"})
        assert file.headers["x-full"] == full


def test_an_answer_is_had_as_a_file(api: httpx.Client) -> None:
    file = api.post("/api/sql/file", json={"sql": COUNT, "format": "csv"})
    assert list(csv.reader(io.StringIO(file.text))) == [
        ["tag", "photos"],
        ["'=1+1", "1"],
        ["dog", "2"],
    ]
    assert "attachment" in file.headers["content-disposition"]
    plain = {"sql": COUNT, "format": "csv", "formula_safe": False}
    assert "\n=1+1,1\n" in api.post("/api/sql/file", json=plain).text
    file = api.post("/api/sql/file", json={"sql": COUNT, "format": "parquet"})
    assert parquet.read_table(io.BytesIO(file.content)).num_rows == 2


def test_a_question_can_be_asked_by_no_link_and_no_foreign_page(
    api: httpx.Client,
) -> None:
    assert api.get("/api/sql", params={"sql": COUNT}).status_code == 405
    foreign = {"Origin": "http://evil.example"}
    answer = api.post("/api/sql", json={"sql": COUNT}, headers=foreign)
    assert answer.status_code == 403
    answer = api.post("/api/sql", data={"sql": COUNT})
    assert answer.status_code == 415
    assert api.get("/api/sql/file/guessed").status_code == 404


def test_a_link_of_the_page_gives_the_file(api: httpx.Client, photos: Library) -> None:
    token = photos.opened.sql_links.token(COUNT)
    for form, begins in (("csv", b"tag,"), ("parquet", b"PAR1"), ("jsonl", b"{")):
        file = api.get(f"/api/sql/file/{token}", params={"format": form})
        assert file.content.startswith(begins)


def test_the_tables_are_listed_with_what_they_hold(api: httpx.Client) -> None:
    listed = api.get("/api/sql/views").json()
    assert [view["name"] for view in listed] == [view.name for view in VIEWS]
    assert all(c["means"] for view in listed for c in view["columns"])


def test_questions_are_saved_under_a_name_and_forgotten(
    api: httpx.Client, photos: Library
) -> None:
    name = "tags/by count?"
    kept = api.put("/api/sql/saved", json={"name": f" {name}\n", "sql": COUNT})
    assert kept.json() == {"name": name, "sql": COUNT}
    api.put("/api/sql/saved", json={"name": name, "sql": "SELECT 1"})
    assert api.get("/api/sql/saved").json() == [{"name": name, "sql": "SELECT 1"}]
    assert saved.named(photos.opened.config.data_dir, name).sql == "SELECT 1"
    gone = api.delete("/api/sql/saved", params={"name": name})
    assert gone.status_code == 204
    assert api.get("/api/sql/saved").json() == []
    gone = api.delete("/api/sql/saved", params={"name": name})
    assert "no saved question called tags/by count?" in gone.json()["detail"]


# What is saved


def test_saved_questions_are_kept_in_one_file_by_name(tmp_path: Path) -> None:
    saved.save(tmp_path, "b", "SELECT 2")
    saved.save(tmp_path, "A", "SELECT 'ü'")
    assert [one.name for one in saved.every(tmp_path)] == ["A", "b"]
    assert [path.name for path in tmp_path.iterdir()] == [saved.NAME]
    saved.remove(tmp_path, "A")
    assert [one.name for one in saved.every(tmp_path)] == ["b"]


@pytest.mark.parametrize(
    ("name", "text"),
    [("", "SELECT 1"), ("\n", "SELECT 1"), ("a", " "), ("x" * 101, "1")],
)
def test_a_question_without_a_name_or_text_is_not_saved(
    tmp_path: Path, name: str, text: str
) -> None:
    with pytest.raises(UsageError):
        saved.save(tmp_path, name, text)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["{", "3", '[{"name": "a"}]', "\ud800", "[3]"])
def test_a_damaged_file_is_named_and_never_overwritten(
    tmp_path: Path, text: str
) -> None:
    path = tmp_path / saved.NAME
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(DataError, match=r"questions\.json is damaged"):
        saved.save(tmp_path, "a", "SELECT 1")
    assert path.read_bytes() == text.encode("utf-8", "surrogatepass")


def test_links_are_the_same_for_the_same_and_few() -> None:
    links = Links()
    first = links.token("SELECT 1")
    assert links.token("SELECT 1") == first
    assert links.text(first) == "SELECT 1"
    for number in range(300):
        links.token(f"SELECT {number + 2}")
    assert links.text(first) is None


# The command line, without an app


@pytest.fixture
def closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with photos in it that nobody has open."""
    monkeypatch.setenv("TAGGER_CONFIG", str(settings_file(tmp_path)))
    with library(tmp_path) as made:
        made.photo("a.jpg", "dog", "=1+1")
        made.photo("b.jpg", "dog", colour="blue")
    return tmp_path


def test_the_command_answers_as_lines_json_and_csv(
    closed: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    def said(*arguments: str) -> str:
        assert cli.main(["sql", *arguments]) == 0
        return capfdbinary.readouterr().out.decode()

    assert said(COUNT) == "tag\tphotos\n=1+1\t1\ndog\t2\n"
    assert json.loads(said(COUNT, "--json"))["rows"] == [["=1+1", 1], ["dog", 2]]
    assert said(COUNT, "--csv") == "tag,photos\n'=1+1,1\ndog,2\n"
    assert said(COUNT, "--csv", "--plain") == "tag,photos\n=1+1,1\ndog,2\n"
    saved.save(config.load().data_dir, "counted", COUNT)
    assert said("--saved", "counted").endswith("dog\t2\n")


def test_the_command_writes_files_whole_or_not_at_all(
    closed: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = closed / "o.parquet"
    assert cli.main(["sql", COUNT, "--out", str(out)]) == 0
    assert parquet.read_table(out).to_pydict() == {
        "tag": ["=1+1", "dog"],
        "photos": [1, 2],
    }
    before = out.read_bytes()
    assert cli.main(["sql", "SELECT x FROM photos", "--out", str(out)]) == 2
    assert out.read_bytes() == before
    assert '"x" not found' in capfd.readouterr().err
    assert cli.main(["sql", COUNT, "--out", str(closed / "no" / "o.csv")]) == 2
    assert cli.main(["sql", COUNT, "--out", str(closed / "o.xlsx")]) == 2
    assert [p.name for p in closed.iterdir() if "part" in p.name] == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "give a SELECT"),
        (["SELECT 1", "--saved", "a"], "give a SELECT"),
        (["--saved", "a"], "none are saved yet"),
        (["SELECT 1", "--json", "--out", "a.csv"], "leave out the other"),
        (["DROP TABLE images"], "Only SELECT can be asked here, and this is DROP"),
        (["SELECT x FROM photos"], "LINE 1: SELECT x FROM photos\n"),
    ],
)
def test_the_command_says_what_is_wrong(
    closed: Path,
    capfd: pytest.CaptureFixture[str],
    arguments: list[str],
    says: str,
) -> None:
    assert cli.main(["sql", *arguments]) == 2
    assert says in capfd.readouterr().err


def test_the_command_says_that_an_answer_was_cut(
    closed: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TAGGER_CATALOGUE__SQL_ROWS", "1")
    monkeypatch.setenv("TAGGER_CATALOGUE__SQL_FILE_ROWS", "1")
    assert cli.main(["sql", COUNT]) == 0
    assert "cut at 1 row (setting catalogue.sql_rows)" in capfd.readouterr().err
    assert cli.main(["sql", COUNT, "--csv"]) == 0
    assert "catalogue.sql_file_rows" in capfd.readouterr().err


# The page


def test_the_page_asks_shows_and_offers_files(photos: Library) -> None:
    test = screens.screen("sql")
    assert not test.exception
    assert test.title[0].value == "SQL"
    test.text_area(key="sql_text").set_value(COUNT)
    test.button(key="sql_ask").click().run()
    assert not test.exception
    assert test.dataframe[0].value.to_dict("list") == {
        "tag": ["=1+1", "dog"],
        "photos": [1, 2],
    }
    links = screens.given(test, "downloads")["links"]
    assert [link["label"] for link in links] == ["CSV", "Parquet", "JSON lines"]
    token = links[0]["url"].split("/")[-1].split("?")[0]
    assert photos.opened.sql_links.text(token) == COUNT


def test_the_page_shows_a_chart_where_there_is_one(photos: Library) -> None:
    test = screens.screen("sql")
    test.text_area(key="sql_text").set_value(COUNT)
    test.button(key="sql_ask").click().run()
    test.radio[0].set_value("Chart").run()
    assert not test.exception
    assert len(test.get("vega_lite_chart")) == 1
    assert not test.dataframe


def test_the_page_tells_a_mistake_as_text(photos: Library) -> None:
    test = screens.screen("sql")
    test.text_area(key="sql_text").set_value('SELECT "**x**" FROM photos')
    test.button(key="sql_ask").click().run()
    assert not test.exception
    assert "\\*\\*x\\*\\*" in test.error[0].value
    assert test.code[0].value.startswith("LINE 1:")


def test_every_example_of_the_page_is_answered(photos: Library) -> None:
    test = screens.screen("sql")
    labels = [button.label for button in test.button]
    for name in EXAMPLES:
        assert name in labels
        next(b for b in test.button if b.label == name).click().run()
        assert test.text_area(key="sql_text").value == EXAMPLES[name]
        test.button(key="sql_ask").click().run()
        assert not test.exception
        assert not test.error


def test_the_page_saves_offers_and_removes_questions(photos: Library) -> None:
    data_dir = photos.opened.config.data_dir
    test = screens.screen("sql")
    test.text_area(key="sql_text").set_value(COUNT)
    test.text_input(key="sql_name").set_value("my *own*")
    test.button(key="sql_save").click().run()
    assert saved.named(data_dir, "my *own*").sql == COUNT
    assert "Saved as" in screens.said(test)

    test = screens.screen("sql")
    test.button(key="sql_saved_0").click().run()
    assert test.text_area(key="sql_text").value == COUNT
    assert test.text_input(key="sql_name").value == "my *own*"
    test.button(key="sql_remove_0").click().run()
    assert saved.every(data_dir) == []
    test.button(key="sql_save").click().run()
    assert not test.exception


def answer(*columns: tuple[str, str], rows: list[tuple[object, ...]]) -> Answer:
    return Answer(tuple(Column(*c) for c in columns), tuple(rows), False, 0.1)


@pytest.mark.parametrize(
    ("columns", "drawn"),
    [
        ([("tag", "VARCHAR"), ("n", "BIGINT")], sql_chart.Drawing(0, 1, False)),
        ([("n", "HUGEINT"), ("day", "DATE")], sql_chart.Drawing(1, 0, True)),
        (
            [("id", "BIGINT"), ("at", "TIMESTAMP"), ("n", "DECIMAL(3,1)")],
            sql_chart.Drawing(1, 2, True),
        ),
        ([("year", "BIGINT"), ("n", "DOUBLE")], sql_chart.Drawing(0, 1, False)),
        ([("n", "BIGINT")], None),
        ([("tag", "VARCHAR"), ("tags", "VARCHAR[]")], None),
        ([("tag", "VARCHAR"), ("n", "BIGINT[]")], None),
    ],
)
def test_a_chart_is_chosen_by_the_columns(
    columns: list[tuple[str, str]], drawn: sql_chart.Drawing | None
) -> None:
    assert sql_chart.drawing(answer(*columns, rows=[(1,) * len(columns)])) == drawn
    assert sql_chart.drawing(answer(*columns, rows=[])) is None


def test_columns_of_one_name_and_nested_values_fit_a_table() -> None:
    found = answer(
        ("a", "BIGINT"),
        ("a", "VARCHAR[]"),
        ("b", "STRUCT(x BIGINT)"),
        rows=[(1, ["x"], {"x": 1})],
    )
    assert sql_answer.table(found) == {"a": [1], "a'": [["x"]], "b": ['{"x": 1}']}


def test_screens_ask_a_few_at_a_time(
    photos: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAGGER_CATALOGUE__SQL_TIMEOUT_S", "3")
    photos.opened.config = config.load()
    with ThreadPoolExecutor(asked.MOST_ON_SCREENS) as screens:
        busy = [
            screens.submit(asked.answer_on_screen, photos.opened, ENDLESS)
            for _ in range(asked.MOST_ON_SCREENS)
        ]
        with pytest.raises(UsageError, match="ask again when one"):
            until_refused(photos)
        for one in busy:
            with pytest.raises(SqlError, match="Stopped after 3 s"):
                one.result()
    assert asked.answer_on_screen(photos.opened, COUNT, wait_s=0.1).rows


def until_refused(photos: Library) -> None:
    """Ask until all the places are taken."""
    for _ in range(200):
        asked.answer_on_screen(photos.opened, COUNT, wait_s=0.02)
