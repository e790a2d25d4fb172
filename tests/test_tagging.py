"""The main job, whole: photographs in, words in their files and on record."""

import os
import shutil
from pathlib import Path

import pytest

from tagger.config import Config
from tagger.errors import UsageError
from tagger.pipeline.tagging import Tagging, plan, tag
from tagger.records import ImageState, WriteMode
from tagger.vision.choose import choose
from tests.ollama_double import Fault, OllamaDouble
from tests.support_pipeline import (
    in_file,
    known_images,
    numbered,
    put_keywords,
    reads_number,
    settings,
    strays,
)
from tests.support_raw import dng


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for number in range(1, 7):
        numbered(folder / f"{number}.jpg", number)
    return folder


def run(config: Config, *paths: Path, **options: object) -> Tagging:
    choice = choose(config)
    return tag(config, [os.fsencode(p) for p in paths], choice, **options)  # type: ignore[arg-type]


def fingerprints(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        path.name: (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.iterdir()
    }


def test_every_photo_gets_its_own_answer(tmp_path: Path, photos: Path) -> None:
    with OllamaDouble(reads_number) as ollama:
        outcome = run(settings(tmp_path, ollama.url), photos)
    assert len(outcome.images) == 6
    assert outcome.failed == []
    for number in range(1, 7):
        words = in_file(photos / f"{number}.jpg")
        assert words["XMP-dc:Subject"] == [f"number {number}", "bar code"]
        assert words["XMP-dc:Description"] == [f"This is picture {number}."]
    assert strays(photos) == []


def test_a_second_run_asks_nothing_and_changes_nothing(
    tmp_path: Path, photos: Path
) -> None:
    with OllamaDouble(reads_number) as ollama:
        config = settings(tmp_path, ollama.url)
        run(config, photos)
        before, asked = fingerprints(photos), ollama.count
        outcome = run(config, photos)
        assert ollama.count == asked
    assert fingerprints(photos) == before
    assert outcome.images == ()
    assert outcome.untouched == 6


def test_a_renamed_and_a_copied_photo_ask_nothing(tmp_path: Path, photos: Path) -> None:
    with OllamaDouble(reads_number) as ollama:
        config = settings(tmp_path, ollama.url)
        run(config, photos)
        asked = ollama.count
        before = known_images(config)
        os.rename(photos / "1.jpg", photos / "renamed.jpg")
        shutil.copyfile(photos / "2.jpg", photos / "copied.jpg")
        run(config, photos)
        assert ollama.count == asked
    after = known_images(config)
    assert after["renamed.jpg"].id == before["1.jpg"].id
    assert after["copied.jpg"].id != before["2.jpg"].id
    assert {t.name: t.source for t in after["copied.jpg"].tags} == {
        "number 2": "gemma3:4b",
        "bar code": "gemma3:4b",
    }
    assert in_file(photos / "copied.jpg")["XMP-dc:Subject"] == ["number 2", "bar code"]


def test_the_same_picture_twice_is_asked_about_once(
    tmp_path: Path, photos: Path
) -> None:
    for copy in range(5):
        shutil.copyfile(photos / "1.jpg", photos / f"copy{copy}.jpg")
    with OllamaDouble(reads_number, delay_s=0.1) as ollama:
        outcome = run(settings(tmp_path, ollama.url), photos)
        assert ollama.count == 6
    assert len(outcome.images) == 11
    assert outcome.failed == []
    assert in_file(photos / "copy4.jpg")["XMP-dc:Subject"] == ["number 1", "bar code"]


def test_a_persons_words_are_kept(tmp_path: Path, photos: Path) -> None:
    put_keywords(photos / "1.jpg", "Oma", "2024", "東京", description="Bei Oma")
    put_keywords(photos / "2.jpg", "alone")
    with OllamaDouble(reads_number) as ollama:
        config = settings(tmp_path, ollama.url)
        run(config, photos)
        run(config, photos, retag=True)
    first, second = in_file(photos / "1.jpg"), in_file(photos / "2.jpg")
    assert first["XMP-dc:Subject"] == ["Oma", "2024", "東京", "number 1", "bar code"]
    assert first["XMP-dc:Description"] == ["Bei Oma"]
    assert second["XMP-dc:Subject"] == ["alone", "number 2", "bar code"]
    image = known_images(config)["1.jpg"]
    assert image.description == "Bei Oma"
    assert {t.name: t.source for t in image.tags}["Oma"] == "file"


def test_asking_again_replaces_only_our_own_words(tmp_path: Path, photos: Path) -> None:
    put_keywords(photos / "1.jpg", "Oma", "wrong")
    first = {"description": "One.", "tags": ["wrong", "old"], "text": ""}
    second = {"description": "Two.", "tags": ["new"], "text": ""}
    with OllamaDouble(first) as ollama:
        config = settings(tmp_path, ollama.url)
        run(config, photos / "1.jpg")
        ollama.answer = second
        outcome = run(config, photos / "1.jpg", retag=True)
    assert len(outcome.images) == 1
    words = in_file(photos / "1.jpg")
    assert words["XMP-dc:Subject"] == ["Oma", "wrong", "new"]
    assert words["XMP-dc:Description"] == ["Two."]


def test_a_tag_somebody_took_out_does_not_come_back(
    tmp_path: Path, photos: Path
) -> None:
    with OllamaDouble(reads_number) as ollama:
        config = settings(tmp_path, ollama.url)
        run(config, photos / "1.jpg")
        put_keywords(photos / "1.jpg", "bar code")  # sets the list: number 1 is gone
        run(config, photos / "1.jpg")
    assert in_file(photos / "1.jpg")["XMP-dc:Subject"] == ["bar code"]


def test_a_broken_photo_is_named_with_its_reason_and_the_rest_goes_on(
    tmp_path: Path, photos: Path
) -> None:
    whole = (photos / "1.jpg").read_bytes()
    (photos / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (photos / "empty.jpg").write_bytes(b"")
    (photos / "text.jpg").write_text("this is no picture")
    for name in ("cut.jpg", "empty.jpg", "text.jpg"):
        os.utime(photos / name, (1, 1))
    with OllamaDouble(reads_number) as ollama:
        config = settings(tmp_path, ollama.url)
        outcome = run(config, photos)
        assert ollama.count == 6
    reasons = {Path(i.shown_path).name: i.reason for i in outcome.failed}
    assert set(reasons) == {"cut.jpg", "empty.jpg", "text.jpg"}
    assert all(reasons.values())


def test_a_line_break_in_a_name_is_refused_with_a_reason(
    tmp_path: Path, photos: Path
) -> None:
    name = 'a\n-if\nsystem("touch pwned")||1.jpg'
    shutil.copyfile(photos / "1.jpg", photos / name.replace("/", "_"))
    with OllamaDouble(reads_number) as ollama:
        outcome = run(settings(tmp_path, ollama.url), photos)
    [failed] = outcome.failed
    assert "line break" in (failed.reason or "")
    assert not Path("pwned").exists()


def test_a_missing_model_blames_no_photo(tmp_path: Path, photos: Path) -> None:
    with OllamaDouble(reads_number, models=[]) as ollama:
        config = settings(tmp_path, ollama.url)
        outcome = run(config, photos)
        assert outcome.gave_up is not None
        assert "ollama pull gemma3:4b" in str(outcome.gave_up)
        assert {i.state for i in outcome.images} == {ImageState.QUEUED}
        ollama.models.append("gemma3:4b")
        assert run(config, photos).failed == []


def test_a_server_that_goes_away_leaves_the_rest_in_the_queue(
    tmp_path: Path, photos: Path
) -> None:
    gone = [Fault(close=True)] * 60
    with OllamaDouble(reads_number, script=gone) as ollama:
        config = settings(tmp_path, ollama.url)
        outcome = run(config, photos)
        assert outcome.gave_up is not None
        assert {i.state for i in outcome.images} == {ImageState.QUEUED}
        ollama.script.clear()
        outcome = run(config, photos)
    assert len(outcome.images) == 6
    assert outcome.failed == []


def test_a_passing_fault_is_tried_again(tmp_path: Path, photos: Path) -> None:
    with OllamaDouble(reads_number, script=[Fault(503), Fault(429)]) as ollama:
        assert run(settings(tmp_path, ollama.url), photos).failed == []


def test_an_answer_that_never_fits_fails_only_its_photo(
    tmp_path: Path, photos: Path
) -> None:
    def answer(jpeg: bytes, request: object) -> object:
        said = reads_number(jpeg, {})
        return "no JSON at all" if said["tags"][0] == "number 3" else said

    with OllamaDouble(answer) as ollama:  # type: ignore[arg-type]
        outcome = run(settings(tmp_path, ollama.url), photos)
    [failed] = outcome.failed
    assert failed.shown_path.endswith("3.jpg")


def test_without_exiftool_words_wait_and_are_written_later(
    tmp_path: Path, photos: Path
) -> None:
    with OllamaDouble(reads_number) as ollama:
        config = settings(
            tmp_path, ollama.url, metadata={"exiftool": str(tmp_path / "none")}
        )
        outcome = run(config, photos)
        assert {i.state for i in outcome.failed} == {ImageState.NOT_WRITTEN}
        assert in_file(photos / "1.jpg")["XMP-dc:Subject"] == []
        asked = ollama.count
        outcome = run(settings(tmp_path, ollama.url), photos)
        assert ollama.count == asked
    assert outcome.failed == []
    assert in_file(photos / "1.jpg")["XMP-dc:Subject"] == ["number 1", "bar code"]


def test_write_modes_put_the_words_where_they_belong(
    tmp_path: Path, photos: Path
) -> None:
    with OllamaDouble(reads_number) as ollama:
        config = settings(tmp_path, ollama.url)
        before = fingerprints(photos)
        run(config, photos, write_mode=WriteMode.NONE)
        assert fingerprints(photos) == before
        run(config, photos, write_mode=WriteMode.SIDECAR, retag=True)
    assert (photos / "1.jpg").read_bytes() == before["1.jpg"][0]
    assert in_file(photos / "1.jpg.xmp")["XMP-dc:Subject"] == ["number 1", "bar code"]


def test_words_beside_a_photo_go_into_it_once_that_is_possible(
    tmp_path: Path, photos: Path
) -> None:
    os.link(photos / "1.jpg", tmp_path / "other name.jpg")
    with OllamaDouble(reads_number) as ollama:
        config = settings(tmp_path, ollama.url)
        [first] = run(config, photos / "1.jpg").images
        assert first.written_mode is WriteMode.SIDECAR
        assert "hard links" in (first.reason or "")
        (tmp_path / "other name.jpg").unlink()
        [second] = run(config, photos / "1.jpg").images
        assert ollama.count == 1
    assert (second.written_mode, second.reason) == (WriteMode.FILE, None)
    assert in_file(photos / "1.jpg")["XMP-dc:Subject"] == ["number 1", "bar code"]


def test_a_photo_that_a_link_in_the_folder_leads_to_is_tagged_with_it(
    tmp_path: Path, photos: Path
) -> None:
    numbered(tmp_path / "elsewhere" / "9.jpg", 9)
    (photos / "link.jpg").symlink_to("../elsewhere/9.jpg")
    with OllamaDouble(reads_number) as ollama:
        config = settings(tmp_path, ollama.url)
        assert len(run(config, photos).images) == 7
        assert run(config, photos).untouched == 7
        assert len(run(config, photos / "1.jpg", retag=True).images) == 1
    words = in_file(tmp_path / "elsewhere" / "9.jpg")
    assert words["XMP-dc:Subject"] == ["number 9", "bar code"]


def test_a_limit_is_kept_and_the_rest_comes_next_time(
    tmp_path: Path, photos: Path
) -> None:
    with OllamaDouble(reads_number) as ollama:
        config = settings(tmp_path, ollama.url)
        assert len(run(config, photos, limit=2).images) == 2
        assert len(run(config, photos).images) == 4


def test_a_plan_changes_nothing(tmp_path: Path, photos: Path) -> None:
    config = settings(tmp_path)
    planned = plan(config, [os.fsencode(photos)], retag=False, limit=None)
    assert len(planned) == 6
    assert not config.tracking_path.exists()
    with OllamaDouble(reads_number) as ollama:
        run(settings(tmp_path, ollama.url), photos / "1.jpg")
    assert len(plan(config, [os.fsencode(photos)], retag=False, limit=None)) == 5


def test_paths_that_cannot_be_used_are_refused(tmp_path: Path, photos: Path) -> None:
    (photos / "notes.txt").write_text("x")
    with OllamaDouble(reads_number) as ollama:
        config = settings(tmp_path, ollama.url)
        for path in (photos / "gone", photos / "notes.txt"):
            with pytest.raises(UsageError):
                run(config, path)


def test_the_builtin_model_tags_without_any_server(
    tmp_path: Path, photos: Path
) -> None:
    samples = Path(__file__).parent.parent / "data" / "samples"
    shutil.copyfile(samples / "friends.jpg", photos / "dogs.jpg")
    config = settings(tmp_path, model={"backend": "builtin"})
    outcome = run(config, photos / "dogs.jpg")
    assert outcome.failed == []
    assert "dog" in in_file(photos / "dogs.jpg")["XMP-dc:Subject"]


@pytest.mark.parametrize("name", ["photo.dng", "photo.nef", "photo.tif"])
def test_a_raw_photo_gets_a_sidecar_and_stays_as_it_is(
    tmp_path: Path, name: str
) -> None:
    photo = tmp_path / "photos" / name
    photo.parent.mkdir()
    photo.write_bytes(dng())
    answer = {"description": "A wall.", "tags": ["wall"], "text": ""}
    with OllamaDouble(answer) as ollama:
        outcome = run(settings(tmp_path, ollama.url), photo)
    assert outcome.failed == []
    assert photo.read_bytes() == dng()
    assert in_file(photo.with_name(f"{name}.xmp"))["XMP-dc:Subject"] == ["wall"]
