"""Whatever was written can be put back, and what was put back can come again."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from tagger.config import Config
from tagger.pipeline import undo as undoing
from tagger.pipeline.metadata import Writer
from tagger.pipeline.metadata.past import Past
from tagger.pipeline.undo import Undone, undo
from tagger.pipeline.workshop import opened
from tagger.records import Intent, WriteMode
from tagger.tracking import bound, history, jobs, runs
from tagger.tracking import undoing as undone
from tagger.tracking.database import Database
from tagger.tracking.history import Which
from tests import support_imaging
from tests.ollama_double import OllamaDouble
from tests.support_metadata import as_told, person_writes
from tests.support_pipeline import (
    in_file,
    known_images,
    numbered,
    put_keywords,
    reads_number,
    settings,
    strays,
)
from tests.test_tagging import fingerprints, run

KINDS = (
    *("jpeg", "jpeg-progressive", "jpeg-grey", "mpo", "png", "png16", "png-alpha"),
    *("png-palette", "apng", "gif", "gif-animated", "tiff", "tiff-strips"),
    *("tiff-pages", "webp", "webp-lossless", "webp-animated", "heic", "avif"),
    *("jpeg-cmyk",),
)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for number in range(1, 4):
        numbered(folder / f"{number}.jpg", number)
    return folder


def everything(config: Config, place: Path) -> Undone:
    return undo(config, Which(place=os.fsencode(place)))


def last_run(config: Config) -> int:
    with Database.of(config) as db:
        return history.every_run(db)[0].id


def told(folder: Path) -> dict[str, Mapping[str, object]]:
    return {path.name: as_told(path) for path in sorted(folder.iterdir())}


@pytest.mark.slow
def test_twenty_mixed_files_are_as_they_were(tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    for n, kind in enumerate(KINDS):
        path = support_imaging.make(kind, folder)
        if n % 2:
            person_writes(path, "-XMP-dc:Subject=Oma", "-XMP-xmp:Rating=3")
    before = told(folder)
    builtin = settings(tmp_path, model={"backend": "builtin"})
    assert run(builtin, folder).failed == []
    with OllamaDouble(answer) as ollama:
        config = settings(tmp_path, ollama.url)
        assert run(config, folder, retag=True).failed == []
    assert told(folder) != before
    outcome = everything(config, folder)
    assert outcome.refused == []
    assert {one.field for one in outcome.unrestorable} <= {"GIF:GIFVersion"}
    assert len(outcome.photos) == len(KINDS)
    assert told(folder) == before
    assert strays(folder) == []


def answer(_jpeg: bytes, _request: object) -> Mapping[str, object]:
    return {"description": "Stripes, ä|b.", "tags": ["stripes", "東京"], "text": ""}


def test_an_undo_is_undone_and_no_run_writes_again_what_was_undone(
    tmp_path: Path, photos: Path
) -> None:
    with OllamaDouble(reads_number) as ollama:
        config = settings(tmp_path, ollama.url)
        put_keywords(photos / "1.jpg", "Oma", description="Bei Oma")
        untagged = {path.name: in_file(path) for path in photos.iterdir()}
        run(config, photos)
        tagged = {path.name: in_file(path) for path in photos.iterdir()}
        assert len(everything(config, photos).photos) == 3
        assert {path.name: in_file(path) for path in photos.iterdir()} == untagged
        after, asked = fingerprints(photos), ollama.count
        run(config, photos)
        assert fingerprints(photos) == after
        assert ollama.count == asked
        images = known_images(config)
        assert images["2.jpg"].written_mode is None
        assert [t.name for t in images["1.jpg"].tags] == ["Oma"]

        with Database.of(config) as db:
            (undo_run,) = [r for r in history.every_run(db) if r.kind == "undo"]
        assert undo_run.photos == 3
        undo(config, Which(run_id=undo_run.id))
        assert {path.name: in_file(path) for path in photos.iterdir()} == tagged
        after = fingerprints(photos)
        run(config, photos)
        assert fingerprints(photos) == after
        assert known_images(config)["2.jpg"].written_mode is WriteMode.FILE

        everything(config, photos)
        run(config, photos, retag=True)
        assert ollama.count == asked + 3
    assert {path.name: in_file(path) for path in photos.iterdir()} == tagged


def test_only_the_last_answer_is_undone(tmp_path: Path, photos: Path) -> None:
    with OllamaDouble(reads_number) as ollama:
        first = settings(tmp_path, ollama.url)
        run(first, photos)
    before = {path.name: as_told(path) for path in photos.iterdir()}
    with OllamaDouble(answer) as ollama:
        config = settings(tmp_path, ollama.url)
        run(config, photos, retag=True)
        undo(config, Which(run_id=last_run(config)))
        assert told(photos) == before
        after = fingerprints(photos)
        run(config, photos)
        assert fingerprints(photos) == after
        everything(config, photos)
        assert in_file(photos / "1.jpg")["XMP-dc:Subject"] == []
        after = fingerprints(photos)
        run(config, photos)
    assert fingerprints(photos) == after


def test_a_field_that_somebody_changed_is_refused_and_named(
    tmp_path: Path, photos: Path
) -> None:
    with OllamaDouble(reads_number) as ollama:
        config = settings(tmp_path, ollama.url)
        run(config, photos)
        put_keywords(photos / "1.jpg", "mine")
        outcome = everything(config, photos)
        assert {one.field for one in outcome.refused} == {"XMP-dc:Subject"}
        assert {Path(one.file).name for one in outcome.refused} == {"1.jpg"}
        assert in_file(photos / "1.jpg")["XMP-dc:Subject"] == ["mine"]
        assert in_file(photos / "2.jpg")["XMP-dc:Subject"] == []
        run(config, photos)
    assert "mine" in in_file(photos / "1.jpg")["XMP-dc:Subject"]


def test_sidecars_of_ours_are_gone_and_come_again(tmp_path: Path, photos: Path) -> None:
    with OllamaDouble(reads_number) as ollama:
        config = settings(tmp_path, ollama.url)
        run(config, photos, write_mode=WriteMode.SIDECAR)
    sidecar = photos / "1.jpg.xmp"
    assert in_file(sidecar)["XMP-dc:Subject"] == ["number 1", "bar code"]
    everything(config, photos)
    assert sorted(path.name for path in photos.iterdir()) == [
        *("1.jpg", "2.jpg", "3.jpg")
    ]
    undo(config, Which(run_id=last_run(config)))
    assert in_file(sidecar)["XMP-dc:Subject"] == ["number 1", "bar code"]


def test_one_photo_one_tag_or_a_time_is_chosen(tmp_path: Path, photos: Path) -> None:
    with OllamaDouble(reads_number) as ollama:
        config = settings(tmp_path, ollama.url)
        run(config, photos)
    assert undo(config, Which(since="2100-01-01T00:00:00.000Z")).chosen == 0
    assert undo(config, Which(place=os.fsencode(photos / "1.jpg"))).chosen == 1
    planned = undoing.rehearse(config, Which(tag="Number 2")).put_back
    assert [Path(one.file).name for one in planned] == ["2.jpg"]
    assert undo(config, Which(tag="Number 2")).writes == 1
    assert undo(config, Which(tag="Number 2")).chosen == 0
    # What took out the tag, and the two writes that are left.
    assert undo(config, Which(since="2000-01-01T00:00:00.000Z")).writes == 3
    assert undo(config, Which(since="2000-01-01T00:00:00.000Z")).chosen == 0


@pytest.mark.parametrize("mode", [WriteMode.FILE, WriteMode.SIDECAR, WriteMode.MIRROR])
def test_an_undo_that_was_killed_counts_if_it_took_place(
    tmp_path: Path, photos: Path, mode: WriteMode
) -> None:
    with OllamaDouble(reads_number) as ollama:
        config = settings(tmp_path, ollama.url)
        run(config, photos, write_mode=mode)
        half_undone(config, photos / "1.jpg")
        after = fingerprints(photos)
        run(config, photos)
    assert fingerprints(photos) == after
    assert known_images(config)["1.jpg"].tags == ()
    assert everything(config, photos / "1.jpg").chosen == 0
    assert len(everything(config, photos).photos) == 2


def half_undone(config: Config, photo: Path) -> None:
    """Put the words back, and be killed before that is noted."""
    with opened(config) as workshop:
        db = workshop.db
        run_id = runs.begin(db, "undo")
        (past,) = history.chosen(db, Which(place=os.fsencode(photo)))
        bound.take(db, run_id, [past.file_id])
        (job,) = jobs.claim(db, limit=1, run_id=run_id)

        def announce(intent: Intent) -> None:
            undone.intend(db, job, past, intent, run_id=run_id, before_hash=None)

        Writer(workshop.writing, config.metadata).restore(
            past.path,
            past.target,
            Past(before=past.before, intended=past.intended),
            mode=past.mode,
            identity=past.identity,
            on_intent=announce,
        )
        runs.end(db, run_id)
