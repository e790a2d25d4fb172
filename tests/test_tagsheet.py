"""A table of tags from a spreadsheet changes what it says, and nothing by a guess."""

import csv
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tagger import cli
from tagger.catalogue import intake
from tagger.catalogue.export import stream
from tagger.catalogue.wanted import Wanted
from tagger.config import Config
from tagger.errors import UsageError
from tagger.pipeline.tagging import tag
from tagger.tracking import edits, folders, sheetplan, snapshots, tagsheet
from tagger.tracking.database import Database
from tagger.tracking.sheetplan import SheetPlan
from tagger.vision.choose import choose
from tests import support_pages as screens
from tests.ollama_double import OllamaDouble
from tests.support_catalogue import Photo, add_folder, open_catalogue, tagged
from tests.support_pipeline import (
    as_environment,
    in_file,
    known_images,
    numbered,
    put_keywords,
    settings,
)
from tests.support_web import Library, library, served, settings_file


def rows(text: str | bytes) -> list[tagsheet.Row]:
    data = text.encode() if isinstance(text, str) else text
    return tagsheet.parse(data)


# Reading the table


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_table_is_read_with_any_delimiter_mark_and_line_end(
    delimiter: str, mark: bytes, end: str
) -> None:
    lines = [["Path ", "TAGS"], ["/ü/a.jpg", '"dog; red car"'], ["/b.jpg", "x"], []]
    text = end.join(delimiter.join(line) for line in lines)
    (first, second) = rows(mark + text.encode())
    assert (first.line, first.path, first.id) == (2, "/ü/a.jpg", None)
    assert tagsheet.words(first.tags or "") == ["dog", "red car"]
    assert (second.line, second.tags) == (3, "x")


def test_lines_are_counted_as_an_editor_counts_them() -> None:
    text = 'sep=;\npath;note;add\n/a;"two\nlines";x\n\n/b;;y\n'
    assert [(row.line, row.path) for row in rows(text)] == [(3, "/a"), (6, "/b")]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", r"Line 1 has to name a column id or path, .* it is: empty"),
        ("name,words\na,b", "Line 1 has to name .* it is: name,words"),
        ("path,name\n/a,b", "Line 1 has to name"),
        ("tags,add\nx,y", "Line 1 has to name"),
        ("path,tags,add\n/a,x,y", "take one of them out"),
        ("path,tags,tags\n/a,x,y", "Line 1 names tags twice"),
        ("path,tags\n/a,x,y", "Line 2 has 3 cells, and line 1 names 2 columns"),
        ("path,tags\n/a,x\n/b\n", "Line 3 has 1 cells"),
        ("id,tags\nseven,x", "Line 2: 'seven' is no id; it is a whole number"),
        ("id,tags\n-1,x", "Line 2: '-1' is no id"),
        ("id,tags\n99999999999999999999,x", "is no id"),
        ("id,path,tags\n,,x", "Line 2 names no photo"),
        ('path,tags\n/a,"x', "Line 2: this cannot be read as CSV"),
        ('path,tags\n/a,"x"y', "Line 2: this cannot be read as CSV"),
        (b"path,tags\n/a,x\n/b,\xe4\n", "Line 3: this is not UTF-8; save the file"),
        ("path,tags\n/a,x".encode("utf-16"), "UTF-16; save it as CSV in UTF-8"),
        ("path,tags\n/a,\0x", "Line 2: there is a zero in it"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_would_be_right(
    text: str | bytes, says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        rows(text)


def test_apostrophes_of_an_export_are_taken_off_and_others_stay() -> None:
    (row,) = rows("path,add\n'=x/a.jpg,'=1+1;'@me;'tis;x;'\uff1d2\n")
    assert row.path == "=x/a.jpg"
    assert tagsheet.words(row.add) == ["=1+1", "@me", "'tis", "x", "\uff1d2"]
    assert tagsheet.words("'=x", known=["'=x"]) == ["'=x"]


def test_a_known_tag_with_a_semicolon_stays_whole() -> None:
    assert tagsheet.words("a;b;c", known=["a;b"]) == ["a;b", "c"]
    assert tagsheet.words("x; a ;b", known=["a; b"]) == ["x", "a; b"]
    assert tagsheet.words("'=a;b", known=["=a;b"]) == ["=a;b"]
    assert tagsheet.words(";; a ;", known=["a"]) == ["a"]


# What it changes


@pytest.fixture
def ids(db: Database, tmp_path: Path) -> list[int]:
    return tagged(
        db,
        add_folder(db, tmp_path / "p"),
        Photo(name="a.jpg", tags=["dog", "beach"], found_tags=["Rex"]),
        Photo(name="b.jpg", tags=["dog"]),
        Photo(name="c.jpg", tags=["=1+1", "cat"], found_tags=["x;y"]),
    )


def planned(db: Database, text: str) -> SheetPlan:
    return sheetplan.plan(db, rows(text))


def carried(db: Database, text: str, *, dry_run: bool = False) -> edits.Edit:
    found = planned(db, text)
    return edits.each(
        db, add=found.add, remove=found.remove, detail={}, dry_run=dry_run
    )


def tags(db: Database, image_id: int) -> dict[str, str]:
    (image,) = snapshots.images(db, [image_id])
    return {tag.name: tag.source for tag in image.tags}


def test_all_the_tags_of_a_photo_can_be_named(
    db: Database, ids: list[int], tmp_path: Path
) -> None:
    text = f"path,tags\n{tmp_path}/p/a.jpg,DOG; rex;new one\n"
    found = planned(db, text)
    assert found.add == {"new one": [ids[0]]}
    assert found.remove == {"beach": [ids[0]]}
    assert (found.rows, found.added, found.removed, found.unchanged) == (1, 1, 1, 0)

    edit = carried(db, text, dry_run=True)
    assert (edit.id, edit.photos, edit.files) == (None, 1, 1)
    assert "new one" not in tags(db, ids[0])
    assert carried(db, text).photos == 1
    # What a model said and the table only repeats does not become a person's.
    assert tags(db, ids[0]) == {
        "dog": "gemma3:4b",
        "Rex": "file",
        "new one": "person",
    }


def test_an_export_brought_back_as_it_is_changes_nothing(
    db: Database, ids: list[int], tmp_path: Path
) -> None:
    with open_catalogue(tmp_path) as catalogue:
        intake.take(catalogue, db)
        for safe in (True, False):
            data = b"".join(stream(catalogue, Wanted(), "csv", formula_safe=safe))
            found = sheetplan.plan(db, tagsheet.parse(data))
            assert (found.rows, found.unchanged) == (3, 3)
            assert (found.added, found.removed, found.passed) == (0, 0, ())


def test_an_export_edited_in_a_spreadsheet_changes_what_was_edited(
    db: Database, ids: list[int], tmp_path: Path
) -> None:
    with open_catalogue(tmp_path) as catalogue:
        intake.take(catalogue, db)
        data = b"".join(stream(catalogue, Wanted(), "csv")).decode()
    table = list(csv.DictReader(io.StringIO(data, newline="")))
    table[2]["tags"] += ";'+1"
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=[*table[0]], delimiter=";")
    writer.writeheader()
    writer.writerows(table)
    found = sheetplan.plan(
        db, tagsheet.parse(b"\xef\xbb\xbf" + out.getvalue().encode())
    )
    assert found.add == {"+1": [ids[2]]}
    assert found.remove == {}


def test_tags_can_be_added_and_removed(db: Database, ids: list[int]) -> None:
    text = f"id,add,remove\n{ids[0]},dog;sun,beach;never\n{ids[1]},,DOG\n{ids[2]},,\n"
    found = planned(db, text)
    assert found.add == {"dog": [ids[0]], "sun": [ids[0]]}
    assert {name.casefold(): who for name, who in found.remove.items()} == {
        "beach": [ids[0]],
        "dog": [ids[1]],
    }
    assert found.unchanged == 1
    carried(db, text)
    # As with `tags add`: what a person says too is the person's from then on.
    assert tags(db, ids[0]) == {"dog": "person", "sun": "person", "Rex": "file"}
    assert tags(db, ids[1]) == {}


def test_an_empty_cell_takes_nothing_away(db: Database, ids: list[int]) -> None:
    found = planned(db, f"id,tags\n{ids[0]},\n{ids[1]}, ; ;\n")
    assert (found.removed, found.unchanged) == (0, 2)


def test_rows_whose_photo_is_not_certain_are_left_out_with_their_line(
    db: Database, ids: list[int], tmp_path: Path
) -> None:
    place = tmp_path / "p"
    text = (
        "id,path,tags\n"
        f"{ids[0]},{place}/a.jpg,x\n"
        f"{ids[1]},{place}/other.jpg,x\n"
        "4711,,x\n"
        f",{place}/none.jpg,x\n"
        f",{place}/a.jpg,y\n"
    )
    found = planned(db, text)
    assert [(one.line, one.reason) for one in found.passed] == [
        (3, f"the photo with the id {ids[1]} is {place}/b.jpg"),
        (4, "there is no photo with the id 4711"),
        (5, "no photo is known at this path"),
        (6, "it is the photo of line 2 again"),
    ]
    assert found.add == {"x": [ids[0]]}


def test_photos_of_a_folder_that_was_taken_out_are_left_out(
    db: Database, ids: list[int]
) -> None:
    folders.remove(db, 1)
    (passed,) = planned(db, f"id,tags\n{ids[0]},x\n").passed
    assert passed.reason == "its folder was taken out"


def test_words_that_can_be_no_tags_change_nothing(db: Database, ids: list[int]) -> None:
    with pytest.raises(UsageError, match=r"(?i)Line 2: x cannot be added and removed"):
        planned(db, f"id,add,remove\n{ids[0]},X,x\n")
    with pytest.raises(UsageError, match=r"Line 2: x+… is too long"):
        carried(db, f"id,add\n{ids[0]},fine;{'x' * 201}\n")
    assert "fine" not in tags(db, ids[0])
    carried(db, f"id,add\n{ids[0]},a\x07b\n")
    assert "ab" in tags(db, ids[0])


# Through the doors


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Config]:
    answer = {"description": "A shape.", "tags": ["shape", "grey"], "text": ""}
    with OllamaDouble(lambda *_: answer) as ollama:
        yield settings(tmp_path, ollama.url)


@pytest.mark.slow
def test_the_command_changes_files_in_one_run_that_can_be_undone(
    config: Config,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    photos = tmp_path / "photos"
    for number in (1, 2, 3):
        numbered(photos / f"{number}.jpg", number)
    put_keywords(photos / "1.jpg", "Oma")
    tag(config, [os.fsencode(photos)], choose(config))
    for name, value in as_environment(config).items():
        monkeypatch.setenv(name, value)
    before = [in_file(photos / f"{n}.jpg") for n in (1, 2, 3)]
    table = tmp_path / "t.csv"
    table.write_text(
        f'path;tags\n{photos}/1.jpg;Oma, Opa\n{photos}/2.jpg;"shape;=1+1"\n'
        f"{photos}/3.jpg;shape;\n"
    )
    assert cli.main(["tags", "import", str(table)]) == 2
    assert "Line 4 has 3 cells" in capfd.readouterr().err
    table.write_text(
        f'path;tags\n{photos}/1.jpg;"Oma;Opa"\n{photos}/2.jpg;"shape;\'=1+1"\n'
        f'{photos}/3.jpg;"shape;grey"\n/nowhere.jpg;x\n'
    )

    assert cli.main(["tags", "import", str(table), "--dry-run"]) == 3
    told = capfd.readouterr().err
    assert "line 5: /nowhere.jpg: no photo is known at this path" in told
    assert "4 rows: 2 tags to add, 3 to take away; 1 already so, 1 left out" in told
    assert "2 photos, 2 files would change; nothing was changed" in told
    assert [in_file(photos / f"{n}.jpg") for n in (1, 2, 3)] == before

    assert cli.main(["tags", "import", str(table), "--json"]) == 3
    made = json.loads(capfd.readouterr().out)
    assert (made["photos"], made["failed"]) == (2, 0)
    subjects = [set(in_file(photos / f"{n}.jpg")["XMP-dc:Subject"]) for n in (1, 2, 3)]
    assert subjects == [{"Oma", "Opa"}, {"shape", "=1+1"}, {"shape", "grey"}]
    assert {t.name for t in known_images(config)["2.jpg"].tags} == {"shape", "=1+1"}

    assert cli.main(["undo", "--run", str(made["run"])]) == 0
    assert [in_file(photos / f"{n}.jpg") for n in (1, 2, 3)] == before
    assert cli.main(["tags", "import", str(tmp_path / "none.csv")]) == 2


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    monkeypatch.setenv("TAGGER_CONFIG", str(settings_file(tmp_path)))
    with library(tmp_path) as made:
        made.photo("a.jpg", "dog")
        made.photo("b.jpg", "dog", colour="blue")
        yield made


def test_the_api_looks_first_and_then_makes_one_edit(photos: Library) -> None:
    table = "id,tags\n1,dog;cat\n2,dog\n9,x\n"
    with served() as api:
        asked = api.post(
            "/api/edits/import", json={"csv": table}, params={"dry_run": "true"}
        ).json()
        assert asked == {
            **{"edit_id": None, "photos": 1, "files": 1, "rows": 3, "added": 1},
            **{"removed": 0, "unchanged": 1},
            "passed": [
                {"line": 4, "photo": "9", "reason": "there is no photo with the id 9"}
            ],
        }
        made = api.post("/api/edits/import", json={"csv": table}).json()
        progress = api.get(f"/api/edits/{made['edit_id']}").json()
        assert (progress["kind"], progress["photos"]) == ("import", 1)
        bad = api.post("/api/edits/import", json={"csv": "a,b\n"})
        assert bad.status_code == 422
        assert "Line 1 has to name" in bad.json()["detail"]


def test_the_page_shows_what_would_change_and_has_it_changed(photos: Library) -> None:
    test = screens.screen("import_tags")
    assert not test.exception
    assert test.title[0].value == "Import tags"
    table = b"id,tags\n1,dog;cat\n2,dog\n9,*x*\n"
    test.file_uploader(key="import_file").set_value(("t.csv", table, "text/csv")).run()
    assert not test.exception
    figures = {metric.label: metric.value for metric in test.metric}
    assert figures["Rows"] == "3"
    assert (figures["Photos to change"], figures["Tags to add"]) == ("1", "1")
    assert test.dataframe[0].value["Line"].tolist() == [4]
    assert set(tags(photos.opened.db, 1)) == {"dog"}
    test.button(key="import_go").click().run()
    assert not test.exception
    assert set(tags(photos.opened.db, 1)) == {"dog", "cat"}
    assert "Changed 1 photo" in screens.said(test)
    test.file_uploader(key="import_file").set_value(("t.csv", b"a,b", "text/csv")).run()
    assert "Line 1 has to name" in test.error[0].value
