"""Edits through the API: put down at once, carried out in the files by the tagger."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tagger.config import Config
from tagger.pipeline.run import run
from tagger.pipeline.tagging import tag
from tagger.records import ImageState, WriteMode
from tagger.tracking import folders
from tagger.vision.choose import choose
from tests.ollama_double import OllamaDouble
from tests.support_imaging import make
from tests.support_pipeline import (
    as_environment,
    in_file,
    known_images,
    numbered,
    put_keywords,
    reads_number,
    settings,
)
from tests.support_web import Library, library, served, settings_file, until

# Each takes files through the tagger and exiftool, several times over.
pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Place:
    """Three photos that were tagged, the API over them, and the model they asked."""

    api: httpx.Client
    library: Library
    config: Config
    ollama: OllamaDouble

    @property
    def root(self) -> Path:
        return self.library.root

    def id(self, name: str) -> int:
        return known_images(self.config)[name].id

    def tag_id(self, name: str) -> int:
        listed = self.api.get("/api/tags").json()
        return next(tag["id"] for tag in listed if tag["name"] == name)

    def words(self, name: str) -> list[str]:
        return sorted(in_file(self.root / name)["XMP-dc:Subject"])

    def said(self, method: str, path: str, **more: Any) -> Any:
        answer = self.api.request(method, f"/api{path}", **more)
        assert answer.is_success, answer.text
        return answer.json()

    def refused(self, method: str, path: str, **more: Any) -> str:
        answer = self.api.request(method, f"/api{path}", **more)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.status_code == answer.json()["status"]
        return f"{answer.status_code} {answer.json()['detail']}"

    def progress(self, edit: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.said("GET", f"/edits/{edit['edit_id']}")
        return found

    def carried_out(self, *edits: Any) -> None:
        """Let the long-running tagger work until these edits are finished."""
        with working(self.config):
            until(lambda: all(self.progress(edit)["finished_at"] for edit in edits))
        self.library.opened.take()


@contextmanager
def working(config: Config) -> Iterator[None]:
    """The long-running tagger, in a thread of its own."""
    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        tagger = pool.submit(run, config, stop=stop)
        try:
            yield
        finally:
            stop.set()
            tagger.result()


@pytest.fixture(scope="module")
def api() -> Iterator[httpx.Client]:
    with served() as client:
        yield client


@pytest.fixture
def place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, api: httpx.Client
) -> Iterator[Place]:
    monkeypatch.setenv("TAGGER_CONFIG", str(settings_file(tmp_path)))
    with OllamaDouble(reads_number) as ollama, library(tmp_path) as made:
        for number in (1, 2, 3):
            numbered(made.root / f"{number}.jpg", number)
        put_keywords(made.root / "1.jpg", "Oma")
        config = settings(tmp_path, ollama.url)
        assert tag(config, [os.fsencode(made.root)], choose(config)).failed == []
        made.opened.take()
        yield Place(api, made, config, ollama)


def fingerprints(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_photo_is_changed_on_screen_at_once_and_in_its_file_by_the_tagger(
    place: Place,
) -> None:
    photo, before = place.id("1.jpg"), fingerprints(place.root)
    wanted = {
        "description": "Der Garten\r\nbei Oma; 2024 ",
        "add_tags": ["garden", " ga\x00rden\n", "日本"],
        "remove_tags": ["bar code", "Oma"],
    }
    asked = place.said("PATCH", f"/images/{photo}?dry_run=true", json=wanted)
    assert asked == {"edit_id": None, "photos": 1, "files": 1}
    assert place.said("GET", "/edits") == []

    edit = place.said("PATCH", f"/images/{photo}", json=wanted)

    shown = place.said("GET", f"/images/{photo}")
    assert shown["description"] == "Der Garten\nbei Oma; 2024"
    assert shown["description_source"] == "person"
    tags = {tag["name"]: tag["source"] for tag in shown["tags"]}
    assert tags == {"garden": "person", "日本": "person", "number 1": "gemma3:4b"}
    assert fingerprints(place.root) == before
    progress = place.progress(edit)
    assert (progress["kind"], progress["photos"], progress["left"]) == ("change", 1, 1)
    assert progress["finished_at"] is None
    place.carried_out(edit)
    assert place.words("1.jpg") == ["garden", "number 1", "日本"]
    found = in_file(place.root / "1.jpg")["XMP-dc:Description"]
    assert found == ["Der Garten\nbei Oma; 2024"]
    progress = place.progress(edit)
    assert (progress["done"], progress["left"], progress["failed"]) == (1, 0, 0)
    after = fingerprints(place.root)
    assert {name for name in after if after[name] != before[name]} == {"1.jpg"}
    again = place.said("PATCH", f"/images/{photo}", json=wanted)
    assert again["photos"] == 0
    assert place.progress(again)["finished_at"]
    assert place.ollama.count == 3


def test_a_selection_is_changed_by_ids_and_by_a_query(place: Place) -> None:
    ids = [place.id("1.jpg"), place.id("3.jpg"), 999_999]
    by_ids = {"image_ids": ids, "add": ["picked"], "remove": ["bar code"]}
    asked = place.said("POST", "/edits/tags?dry_run=true", json=by_ids)
    assert asked == {"edit_id": None, "photos": 2, "files": 2}
    first = place.said("POST", "/edits/tags", json=by_ids)
    by_query = {"query": 'tag:"number 2"', "add": ["found"]}
    second = place.said("POST", "/edits/tags", json=by_query)
    assert second["photos"] == 1
    place.carried_out(first, second)
    assert place.words("1.jpg") == ["Oma", "number 1", "picked"]
    assert place.words("2.jpg") == ["bar code", "found", "number 2"]
    assert place.words("3.jpg") == ["number 3", "picked"]
    listed = place.said("GET", "/edits")
    assert [edit["id"] for edit in listed] == [second["edit_id"], first["edit_id"]]
    assert listed[1]["detail"] == {"add": ["picked"], "remove": ["bar code"]}
    assert place.said("GET", f"/edits?before={second['edit_id']}") == listed[1:]
    assert place.said("GET", "/edits?unfinished=true") == []


def test_tags_are_renamed_merged_and_deleted_everywhere(place: Place) -> None:
    bar_code = place.tag_id("bar code")
    one, two = place.tag_id("number 1"), place.tag_id("number 2")
    before = fingerprints(place.root)
    renaming = {"json": {"name": "stripes"}}
    asked = place.said("PATCH", f"/tags/{bar_code}?dry_run=true", **renaming)
    assert asked == {"edit_id": None, "photos": 3, "files": 3}
    for path in (f"/tags/{bar_code}", "/tags/merge"):
        method = "DELETE" if path != "/tags/merge" else "POST"
        body = {"json": {"tags": [one, two], "into": "low"}} if method == "POST" else {}
        assert place.said(method, f"{path}?dry_run=true", **body)["edit_id"] is None
    assert fingerprints(place.root) == before

    rename = place.said("PATCH", f"/tags/{bar_code}", **renaming)
    merge = place.said("POST", "/tags/merge", json={"tags": [one, two], "into": "low"})
    place.carried_out(rename, merge)

    assert place.words("1.jpg") == ["Oma", "low", "stripes"]
    assert place.words("2.jpg") == ["low", "stripes"]
    into = {"tags": [place.tag_id("number 3")], "into": place.tag_id("low")}
    merge = place.said("POST", "/tags/merge", json=into)
    delete = place.said("DELETE", f"/tags/{place.tag_id('stripes')}")
    place.carried_out(merge, delete)
    assert place.words("3.jpg") == ["low"]
    kinds = [edit["kind"] for edit in place.said("GET", "/edits")]
    assert kinds == ["delete", "rename", "merge", "rename"]


def test_synonyms_and_bans_hold_for_later_answers_or_for_past_ones_too(
    place: Place,
) -> None:
    synonym = {"word": "Bar Code", "tag": "stripes"}
    past = synonym | {"past": True}
    asked = place.said("POST", "/synonyms?dry_run=true", json=past)
    assert asked == {"edit_id": None, "photos": 3, "files": 3}
    assert place.said("GET", "/synonyms") == []
    plain = place.said("POST", "/synonyms", json=synonym)
    assert plain == {"edit_id": None, "photos": 0, "files": 0}
    assert place.said("GET", "/synonyms") == [{"word": "bar code", "tag": "stripes"}]
    for dry in ("", "?dry_run=true"):
        chain = {"json": {"word": "stripes", "tag": "bars"}}
        assert "422" in place.refused("POST", f"/synonyms{dry}", **chain)
    first = place.said("POST", "/synonyms", json=past)
    second = place.said("POST", "/bans", json={"tag": "number 3", "past": True})
    assert place.said("GET", "/bans") == ["number 3"]
    place.carried_out(first, second)
    assert place.words("1.jpg") == ["Oma", "number 1", "stripes"]
    assert place.words("3.jpg") == ["stripes"]
    gone = {"params": {"tag": "Number 3", "past": True}}
    dry = {"params": {**gone["params"], "dry_run": True}}
    assert place.said("DELETE", "/bans", **dry)["photos"] == 1
    ban = place.said("DELETE", "/bans", **gone)
    word = {"params": {"word": "bar code", "past": True}}
    place.carried_out(ban, place.said("DELETE", "/synonyms", **word))
    assert place.words("3.jpg") == ["bar code", "number 3"]
    assert "not on the list" in place.refused("DELETE", "/bans", **gone)
    assert "not on the list" in place.refused("DELETE", "/synonyms", **word)


REFUSED: tuple[tuple[str, str, Any, int], ...] = (
    ("PATCH", "/images/{photo}", {}, 422),
    ("PATCH", "/images/{photo}", {"add_tags": [" "]}, 422),
    ("PATCH", "/images/{photo}", {"add_tags": ["\x00"]}, 422),
    ("PATCH", "/images/{photo}", {"add_tags": ["x" * 201]}, 422),
    ("PATCH", "/images/{photo}", {"add_tags": ["a"], "remove_tags": ["A"]}, 422),
    ("PATCH", "/images/{photo}", {"description": " \n"}, 422),
    ("PATCH", "/images/{photo}", {"description": "d" * 100_001}, 422),
    ("PATCH", "/images/{photo}", {"description": "x", "tags": ["x"]}, 422),
    ("PATCH", "/images/{photo}?dryrun=true", {"description": "x"}, 422),
    ("PATCH", "/images/999999", {"description": "x"}, 404),
    ("POST", "/edits/tags", {"image_ids": [1]}, 422),
    ("POST", "/edits/tags", {"add": ["x"]}, 422),
    ("POST", "/edits/tags", {"image_ids": [1], "query": "x", "add": ["x"]}, 422),
    ("POST", "/edits/tags", {"image_ids": ["1"], "add": ["x"]}, 422),
    ("POST", "/edits/tags", {"query": " ", "add": ["x"]}, 422),
    ("POST", "/edits/tags", {"query": '"', "add": ["x"]}, 422),
    ("PATCH", "/tags/999999", {"name": "x"}, 404),
    ("PATCH", "/tags/{tag}", {"name": "BAR code"}, 422),
    ("PATCH", "/tags/{tag}", {"name": ""}, 422),
    ("DELETE", "/tags/999999", None, 404),
    ("DELETE", "/tags/{tag}?dry=1", None, 422),
    ("POST", "/tags/merge", {"tags": [], "into": "x"}, 422),
    ("POST", "/tags/merge", {"tags": [1], "into": 999_999}, 404),
    ("POST", "/synonyms", {"word": "a", "tag": "A"}, 422),
    ("DELETE", "/synonyms", None, 422),
    ("GET", "/edits/999999", None, 404),
    ("GET", "/edits?limit=0", None, 422),
)


def test_what_cannot_be_done_is_refused_with_a_reason_and_changes_nothing(
    place: Place,
) -> None:
    ids = {"photo": place.id("1.jpg"), "tag": place.tag_id("bar code")}
    before = known_images(place.config)

    for method, path, body, status in REFUSED:
        detail = place.refused(method, path.format(**ids), json=body)
        assert detail.startswith(f"{status} "), (method, path, body)

    assert place.said("GET", "/edits") == []
    assert known_images(place.config) == before


# Where no model is there, or shall not be asked


def test_an_edit_is_carried_out_in_a_folder_that_is_not_active(place: Place) -> None:
    db, folder = place.library.opened.db, place.library.folder_id
    new = numbered(place.root / "4.jpg", 4)
    put_keywords(new, "Opa")
    folders.set_active(db, folder, False)
    shutil.copy(new, place.root / "5.jpg")
    found = subprocess.run(
        [sys.executable, "-m", "tagger", "scan", str(place.root)],
        cwd=ROOT,
        env=as_environment(place.config),
        capture_output=True,
        text=True,
    )
    assert "2 new" in found.stdout, found.stderr
    ids = [place.id("1.jpg"), place.id("4.jpg")]
    edit = place.said("POST", "/edits/tags", json={"image_ids": ids, "add": ["late"]})
    describe = {"description": "Mine."}
    other = place.said("PATCH", f"/images/{place.id('4.jpg')}", json=describe)

    place.carried_out(edit, other)

    assert place.words("1.jpg") == ["Oma", "bar code", "late", "number 1"]
    assert place.words("4.jpg") == ["Opa", "late"]
    assert in_file(new)["XMP-dc:Description"] == ["Mine."]
    assert place.ollama.count == 3
    waiting = known_images(place.config)["4.jpg"]
    assert (waiting.state, waiting.model) == (ImageState.QUEUED, None)
    assert waiting.written_mode is WriteMode.FILE
    folders.set_active(db, folder, True)
    with working(place.config):
        until(lambda: place.library.opened.status().tagged == 5)
    assert place.words("4.jpg") == ["Opa", "bar code", "late", "number 4"]
    assert in_file(new)["XMP-dc:Description"] == ["Mine."]
    assert place.words("5.jpg") == ["Opa", "bar code", "number 4"]
    assert place.ollama.count == 4


def test_an_edit_needs_no_model_server(place: Place) -> None:
    numbered(place.root / "4.jpg", 4)
    place.ollama.stop()
    with working(place.config):
        until(lambda: len(known_images(place.config)) == 4)
        names = [f"{number}.jpg" for number in (1, 2, 3, 4)]
        wanted = {"image_ids": [place.id(name) for name in names], "add": ["late"]}
        edit = place.said("POST", "/edits/tags", json=wanted)
        until(lambda: bool(place.progress(edit)["finished_at"]))
    for name in names:
        assert "late" in place.words(name)
    assert place.words("4.jpg") == ["late"]
    assert known_images(place.config)["4.jpg"].state is ImageState.QUEUED


def test_a_copy_of_a_photo_that_has_a_persons_words_only_keeps_them(
    place: Place,
) -> None:
    place.ollama.stop()
    numbered(place.root / "4.jpg", 4)
    with working(place.config):
        until(lambda: "4.jpg" in known_images(place.config))
        wanted = {"add_tags": ["mine"], "description": "Mine."}
        edit = place.said("PATCH", f"/images/{place.id('4.jpg')}", json=wanted)
        until(lambda: bool(place.progress(edit)["finished_at"]))
        shutil.copy(place.root / "4.jpg", place.root / "copy.jpg")
        until(lambda: "copy.jpg" in known_images(place.config))
    with OllamaDouble(reads_number) as again:
        config = settings(place.config.data_dir.parent, again.url)
        assert tag(config, [os.fsencode(place.root)], choose(config)).failed == []
    for name in ("4.jpg", "copy.jpg"):
        assert place.words(name) == ["bar code", "mine", "number 4"]
        assert in_file(place.root / name)["XMP-dc:Description"] == ["Mine."]
        sources = {t.name: t.source for t in known_images(config)[name].tags}
        assert sources["mine"] == "person"


# What goes wrong on the way


def test_an_edit_tells_which_photos_failed_and_which_wait(place: Place) -> None:
    bmp = Path(os.fsdecode(make("bmp", place.root, name="4.bmp")))
    assert tag(place.config, [os.fsencode(bmp)], choose(place.config)).failed == []
    (place.root / "4.bmp.xmp").unlink()
    (place.root / "4.bmp.xmp").mkdir()
    torn = place.root / "1.jpg"
    torn.write_bytes(torn.read_bytes()[:900])
    os.utime(torn, (1, 1))
    (place.root / "2.jpg").unlink()
    ids = [place.id(name) for name in ("1.jpg", "2.jpg", "3.jpg", "4.bmp")]
    edit = place.said("POST", "/edits/tags", json={"image_ids": ids, "add": ["late"]})
    with working(place.config):
        until(
            lambda: (
                place.progress(edit)["not_written"] == 1
                and place.progress(edit)["left"] == 2
                and place.progress(edit)["away"] == 1
            )
        )
    progress = place.progress(edit)
    assert (progress["photos"], progress["done"], progress["failed"]) == (4, 1, 1)
    assert progress["finished_at"] is None
    assert "late" in place.words("3.jpg")
    # What stood in the way is gone: the rest is done, and the edit closed.
    (place.root / "4.bmp.xmp").rmdir()
    numbered(place.root / "2.jpg", 2)
    assert tag(place.config, [os.fsencode(bmp)], choose(place.config)).failed == []
    place.carried_out(edit)
    progress = place.progress(edit)
    assert (progress["done"], progress["failed"], progress["left"]) == (3, 1, 0)
    assert "late" in place.words("2.jpg")


def test_a_later_edit_takes_over_the_photos_of_an_earlier_one(place: Place) -> None:
    photo = place.id("1.jpg")
    first = place.said("PATCH", f"/images/{photo}", json={"add_tags": ["one"]})
    second = place.said("PATCH", f"/images/{photo}", json={"add_tags": ["two"]})
    assert place.progress(first)["finished_at"]
    assert place.progress(second)["left"] == 1
    place.carried_out(second)
    assert {"one", "two"} <= set(place.words("1.jpg"))


def writes_of(config: Config, run_after: int) -> dict[str, int]:
    """How many finished writes each photo had since."""
    connection = sqlite3.connect(config.tracking_path)
    rows = connection.execute(
        "SELECT f.path, count(*) FROM writes w JOIN files f ON f.id = w.file_id "
        "WHERE w.state = 'done' AND w.run_id > ? GROUP BY f.path",
        (run_after,),
    ).fetchall()
    connection.close()
    return {os.path.basename(os.fsdecode(path)): count for path, count in rows}


@pytest.mark.parametrize(
    "step",
    ["replaced", "intended", "noted", "finished"],
)
def test_after_a_kill_the_next_tagger_finishes_an_edit_each_photo_once(
    place: Place, step: str
) -> None:
    ids = [place.id(f"{number}.jpg") for number in (1, 2, 3)]
    edit = place.said("POST", "/edits/tags", json={"image_ids": ids, "add": ["late"]})
    killed = subprocess.run(
        [sys.executable, "-m", "tests.kill_child", step, "2", str(place.root)],
        cwd=ROOT,
        env=as_environment(place.config),
        capture_output=True,
        timeout=50,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert 1 <= place.progress(edit)["left"] <= 2
    place.carried_out(edit)
    for number in (1, 2, 3):
        assert "late" in place.words(f"{number}.jpg")
        assert len(place.words(f"{number}.jpg")) == 3 + (number == 1)
    done = writes_of(place.config, run_after=1)
    assert done == {"1.jpg": 1, "2.jpg": 1, "3.jpg": 1}
    assert place.progress(edit)["done"] == 3
    assert place.ollama.count == 3


def test_an_edit_goes_ahead_of_a_long_line_at_a_slow_model(place: Place) -> None:
    place.ollama.delay_s = 30
    for number in range(10, 40):
        numbered(place.root / f"{number}.jpg", number, width_px=64)
    with working(place.config):
        until(lambda: place.ollama.busy == 4)
        began = time.monotonic()
        photo = place.id("1.jpg")
        edit = place.said("PATCH", f"/images/{photo}", json={"add_tags": ["late"]})
        until(lambda: bool(place.progress(edit)["finished_at"]), within_s=15)
        assert time.monotonic() - began < 15
        assert "late" in place.words("1.jpg")


def test_words_said_of_a_photo_that_turns_out_to_be_moved_go_with_it(
    place: Place,
) -> None:
    old = place.id("1.jpg")
    (place.root / "below").mkdir()
    db, folder = place.library.opened.db, place.library.folder_id
    moved = place.root / "below" / "1.jpg"
    shutil.copy(place.root / "1.jpg", moved)  # another inode, so a photo of its own
    (place.root / "1.jpg").unlink()
    folders.set_active(db, folder, False)
    subprocess.run(
        [sys.executable, "-m", "tagger", "scan", str(place.root)],
        cwd=ROOT,
        env=as_environment(place.config),
        check=True,
    )
    new = max(image.id for image in known_images(place.config).values())
    assert new != old
    wanted = {"add_tags": ["late"], "description": "Mine."}
    edit = place.said("PATCH", f"/images/{new}", json=wanted)
    place.carried_out(edit)
    found = in_file(moved)
    assert {"Oma", "late", "number 1"} <= set(found["XMP-dc:Subject"])
    assert found["XMP-dc:Description"] == ["Mine."]
    assert known_images(place.config)["1.jpg"].id == old
