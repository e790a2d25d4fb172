"""`import`: what photos tagged elsewhere say is there again, unasked and unwritten."""

import os
import shutil
import signal
import subprocess
import sys
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tagger.config import Config
from tagger.errors import ExiftoolUnavailable, UsageError
from tagger.pipeline.importing import Imported, bring_in
from tagger.pipeline.importplan import plan
from tagger.pipeline.tagging import tag
from tagger.records import ImageSnapshot, ImageState, WriteMode
from tagger.tracking import changes, folders
from tagger.tracking.database import Database
from tagger.vision.choose import choose
from tests.ollama_double import OllamaDouble
from tests.support_forged import sidecar
from tests.support_imaging import make
from tests.support_pipeline import (
    as_environment,
    in_file,
    known_images,
    numbered,
    put_keywords,
    settings,
)
from tests.support_raw import dng

ROOT = Path(__file__).resolve().parent.parent
KINDS = ("png", "tiff", "webp", "heic", "avif", "gif", "bmp")


def names_it(jpeg: bytes, _request: Mapping[str, Any]) -> Mapping[str, Any]:
    """An answer that no other picture gets."""
    name = f"{zlib.crc32(jpeg):08x}"
    return {"description": f"Picture {name}.", "tags": [name, "shape"], "text": ""}


@pytest.fixture
def ollama() -> Iterator[OllamaDouble]:
    with OllamaDouble(names_it) as double:
        yield double


@pytest.fixture
def config(tmp_path: Path, ollama: OllamaDouble) -> Config:
    one_at_a_time = {"url": ollama.url, "parallel": 1}
    return settings(tmp_path, servers=[one_at_a_time], model={"backend": "ollama"})


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three photos, one with words of a person's."""
    folder = tmp_path / "photos"
    for number in (1, 2, 3):
        numbered(folder / f"{number}.jpg", number)
    put_keywords(folder / "1.jpg", "Oma", "shape", description="Bei Oma")
    return folder


@pytest.fixture
def mixed(photos: Path) -> Path:
    """The same with pictures of many formats beside and below."""
    for kind in KINDS:
        make(kind, photos)
    (photos / "below").mkdir()
    (photos / "below" / "raw.dng").write_bytes(dng())
    return photos


def tagged(config: Config, folder: Path, **options: object) -> None:
    outcome = tag(config, [os.fsencode(folder)], choose(config), **options)  # type: ignore[arg-type]
    assert outcome.failed == []


def imported(config: Config, *paths: Path, **options: object) -> Imported:
    return bring_in(config, [os.fsencode(path) for path in paths], **options)  # type: ignore[arg-type]


def lose(config: Config) -> None:
    shutil.rmtree(config.data_dir)


def said(image: ImageSnapshot) -> object:
    words = sorted((tag.name, tag.source) for tag in image.tags)
    answer = image.model, image.prompt_version, image.answered_at
    return image.description, image.description_source, words, answer, image.state


def everything_said(config: Config) -> dict[str, object]:
    return {name: said(image) for name, image in known_images(config).items()}


def on_disk(folder: Path) -> dict[str, object]:
    """Every file with its bytes, and what the system says of it, times read apart."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        stat = path.stat()
        whole = path.read_bytes() if path.is_file() else sorted(os.listdir(path))
        times = stat.st_mtime_ns, stat.st_ctime_ns
        found[str(path)] = whole, stat.st_ino, stat.st_mode, times
    return found


def last_change(config: Config) -> int:
    with Database.of(config) as db:
        return changes.latest(db)


def images_changed(config: Config, *, since: int) -> list[int]:
    with Database.of(config) as db:
        found = changes.after(db, since, limit=10_000)
    return [one.subject_id for one in found if one.kind == changes.IMAGE]


@pytest.mark.parametrize("mode", [WriteMode.FILE, WriteMode.SIDECAR])
def test_words_and_sources_come_back_unasked_and_no_file_is_touched(
    config: Config, mixed: Path, ollama: OllamaDouble, mode: WriteMode
) -> None:
    tagged(config, mixed, write_mode=mode)
    before, files, asked = everything_said(config), on_disk(mixed), ollama.count
    assert len(before) == len(KINDS) + 4
    lose(config)

    outcome = imported(config, mixed)

    assert everything_said(config) == before
    assert outcome.models == {"gemma3:4b": len(before)}
    assert (outcome.failed, outcome.persons, outcome.wordless) == ({}, 0, 0)
    seen = last_change(config)
    again = imported(config, mixed)
    assert (len(again.photos), again.untouched) == (0, len(before))
    assert images_changed(config, since=seen) == []
    tagged(config, mixed)
    assert everything_said(config) == before
    assert on_disk(mixed) == files
    assert ollama.count == asked


def test_what_brings_no_answer_keeps_its_place_in_line_unasked(
    config: Config, photos: Path, ollama: OllamaDouble
) -> None:
    put_keywords(photos / "2.jpg", "garden")
    files = on_disk(photos)

    outcome = imported(config, photos)

    assert (outcome.answered, outcome.persons) == (0, 2)
    assert outcome.wordless == 1
    images = known_images(config)
    assert {image.state for image in images.values()} == {ImageState.QUEUED}
    assert [(t.name, t.source) for t in images["2.jpg"].tags] == [("garden", "file")]
    assert images["1.jpg"].description == "Bei Oma"
    assert (on_disk(photos), ollama.count) == (files, 0)
    tagged(config, photos)
    assert ollama.count == len(images)


def test_a_copy_without_words_is_left_to_the_tagger(
    config: Config, photos: Path, ollama: OllamaDouble
) -> None:
    shutil.copy(photos / "2.jpg", photos / "before.jpg")
    tagged(config, photos / "2.jpg")
    lose(config)

    outcome = imported(config, photos)

    assert outcome.answered == 1
    assert known_images(config)["before.jpg"].state is ImageState.QUEUED
    assert in_file(photos / "before.jpg")["XMP-dc:Subject"] == []
    asked = ollama.count
    tagged(config, photos / "before.jpg")
    assert ollama.count == asked
    words = {
        len(in_file(photos / n)["XMP-dc:Subject"]) for n in ("2.jpg", "before.jpg")
    }
    assert words == {2}


def test_a_photo_that_cannot_be_read_is_named_and_holds_up_no_other(
    config: Config, photos: Path
) -> None:
    tagged(config, photos / "2.jpg")
    lose(config)
    (photos / "torn.jpg").write_bytes((photos / "2.jpg").read_bytes()[:900])
    os.utime(photos / "torn.jpg", (1, 1))

    first, second = imported(config, photos), imported(config, photos)

    for outcome in (first, second):
        assert list(outcome.failed) == [os.fsencode(photos / "torn.jpg")]
        assert all(outcome.failed.values())
    assert (first.answered, second.answered) == (1, 0)


def test_photos_of_a_folder_with_sidecars_only_are_not_written_into_later(
    config: Config, photos: Path
) -> None:
    tagged(config, photos, write_mode=WriteMode.SIDECAR)
    lose(config)

    outcome = imported(config, photos)

    assert outcome.beside == (os.fsencode(photos),)
    with Database.of(config) as db:
        (folder,) = folders.every(db)
        assert (folder.write_mode, folder.active) == (WriteMode.SIDECAR, False)
    assert imported(config, photos).beside == ()


def test_what_another_machine_wrote_since_is_taken_over(
    tmp_path: Path, config: Config, photos: Path, ollama: OllamaDouble
) -> None:
    tagged(config, photos)
    there = settings(tmp_path / "there", ollama.url)
    ollama.answer = {"description": "New.", "tags": ["new"], "text": ""}
    tagged(there, photos / "2.jpg", retag=True)
    asked = ollama.count

    outcome = imported(config, photos)

    assert (outcome.answered, outcome.untouched) == (1, 2)
    assert known_images(config)["2.jpg"].description == "New."
    assert ollama.count == asked


def test_without_exiftool_it_says_so_and_leaves_everything(
    tmp_path: Path, photos: Path
) -> None:
    config = settings(tmp_path, metadata={"exiftool": "/nowhere/exiftool"})

    for do in (bring_in, plan):
        with pytest.raises(ExiftoolUnavailable, match="not installed"):
            do(config, [os.fsencode(photos)])
    with pytest.raises(UsageError, match="no such folder"):
        imported(config, photos / "nowhere")


@pytest.mark.parametrize("at", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_after_a_kill_the_next_import_ends_the_same(
    config: Config, photos: Path, ollama: OllamaDouble, at: int
) -> None:
    tagged(config, photos)
    before, files, asked = everything_said(config), on_disk(photos), ollama.count
    lose(config)
    command = [sys.executable, "-m", "tests.kill_child", "looked", str(at)]
    killed = subprocess.run(
        [*command, str(photos), "import"],
        cwd=ROOT,
        env=as_environment(config),
        capture_output=True,
        timeout=50,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()

    assert imported(config, photos).failed == {}

    assert everything_said(config) == before
    assert on_disk(photos) == files
    assert ollama.count == asked


def test_what_would_be_found_is_told_beforehand_and_nothing_recorded(
    config: Config, photos: Path
) -> None:
    tagged(config, photos / "1.jpg")
    lose(config)
    put_keywords(photos / "2.jpg", "garden")
    files = on_disk(photos)

    foreseen = plan(config, [os.fsencode(photos)])

    assert not config.data_dir.exists()
    found = imported(config, photos)
    for outcome in (foreseen, found):
        assert outcome.models == {"gemma3:4b": 1}
        assert (outcome.persons, outcome.wordless) == (1, 1)
    assert plan(config, [os.fsencode(photos)]).untouched == 3
    assert on_disk(photos) == files


# What a stranger may have put into a file

FORGED: Mapping[str, Mapping[str, Any]] = {
    "bad-time": {"tags": ["a"], "TaggedAt": "2024-99-99T99:99:99.999Z"},
    "no-time": {"tags": ["a"], "TaggedAt": "yesterday"},
    "time-to-come": {"tags": ["a"], "TaggedAt": "2999-01-01T00:00:00.000Z"},
    "long-time": {"tags": ["a"], "TaggedAt": "2" * 100_000},
    "many-tags": {"tags": [f"tag {n}" for n in range(10_000)]},
    "many-gone": {"tags": [f"tag {n}" for n in range(10_000)], "keywords": ["kept"]},
    "empty-tags": {"tags": ["", "  ", "\n", "a"], "keywords": ["a"]},
    "huge-tag": {"tags": ["t" * 1_000_000]},
    "huge-description": {"tags": [], "description": "d" * 2_000_000, "said": "d"},
    "huge-said": {"tags": [], "description": "d", "said": "d" * 2_000_000},
    "huge-model": {"tags": ["a"], "Model": "m" * 1_000_000},
    "controls": {"tags": ["a\x01b", "\u202egpj"], "Model": "m\x1b[31m\x07\u202e"},
}


def test_forged_metadata_is_bounded_and_ends_no_tagger(
    config: Config, tmp_path: Path, ollama: OllamaDouble
) -> None:
    folder = tmp_path / "photos"
    for number, (name, forged) in enumerate(FORGED.items()):
        more = {"PromptVersion": name, **forged}
        sidecar(numbered(folder / f"{name}.jpg", number), **more)
    files = on_disk(folder)

    assert imported(config, folder).failed == {}

    for name, image in known_images(config).items():
        assert image.model is not None, name
        assert len(image.model) <= 200
        assert image.model.isprintable()
        assert image.answered_at is not None
        assert image.answered_at[:4] != "2999"
        assert "99-99" not in image.answered_at
        assert len(image.tags) <= 1_000
    tagged(config, folder)
    assert on_disk(folder) == files
    assert ollama.count == 0


@pytest.mark.parametrize("model", ["", "person", "File", "\x01\n "])
def test_words_of_what_cannot_be_a_model_stay_a_persons(
    config: Config, tmp_path: Path, model: str
) -> None:
    photo = numbered(tmp_path / "photos" / "1.jpg", 1)
    sidecar(photo, ["garden"], description="Mine.", said="Mine.", Model=model)

    assert imported(config, photo).persons == 1

    image = known_images(config)["1.jpg"]
    assert [(tag.name, tag.source) for tag in image.tags] == [("garden", "file")]
    assert (image.description, image.description_source) == ("Mine.", "file")


def test_a_picture_larger_than_allowed_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.new("RGB", (2000, 2000)).save(folder / "large.png")
    config = settings(tmp_path, tagger={"max_megapixels": 1})

    assert list(imported(config, folder).failed) == [os.fsencode(folder / "large.png")]


def test_a_sidecar_that_leads_nowhere_is_foreseen_as_the_photos_failure(
    config: Config, tmp_path: Path
) -> None:
    photo = numbered(tmp_path / "photos" / "a.jpg", 1)
    loop = Path(f"{photo}.xmp")
    loop.symlink_to(loop)
    [found] = plan(config, [os.fsencode(photo.parent)]).photos
    assert found.state is ImageState.FAILED
    assert found.reason is not None
    assert found.reason.startswith("its sidecar cannot be read: ")
