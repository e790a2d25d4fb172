"""A disk that is full, the photos' or ours: nothing is lost, and work goes on."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tagger.config import Config
from tagger.imaging.identity import identity
from tagger.pipeline.tagging import Tagging, tag
from tagger.records import ImageState, StatKey, WriteMode
from tagger.tracking import folders, status
from tagger.tracking.database import Database
from tagger.vision.choose import choose
from tests import support_imaging
from tests.ollama_double import OllamaDouble
from tests.support_disks import ROOT, command, disk, fill, with_disks
from tests.support_pipeline import (
    as_environment,
    in_file,
    known_images,
    numbered,
    put_keywords,
    reads_number,
    settings,
    strays,
)

pytestmark = pytest.mark.slow

# So much has to be free besides the copy of a photo before it is written.
ROOM_BYTES = 16 << 20


@pytest.fixture
def ollama() -> Iterator[OllamaDouble]:
    with OllamaDouble(reads_number) as double:
        yield double


def run(config: Config, folder: Path, **options: object) -> Tagging:
    return tag(config, [os.fsencode(folder)], choose(config), **options)  # type: ignore[arg-type]


def photos_of_a_person(folder: Path, count: int) -> None:
    for number in range(1, count + 1):
        put_keywords(numbered(folder / f"{number}.jpg", number), "Oma")


def files(folder: Path) -> dict[str, tuple[bytes, StatKey]]:
    """All that can be told of the files, so that nothing can have happened to them."""
    return {
        path.name: (path.read_bytes(), StatKey.of(path.stat()))
        for path in sorted(folder.iterdir())
        if path.name != "ballast"
    }


def assert_all_written(folder: Path, count: int) -> None:
    assert strays(folder) == []
    for number in range(1, count + 1):
        words = ["Oma", f"number {number}", "bar code"]
        assert in_file(folder / f"{number}.jpg")["XMP-dc:Subject"] == words


# --- the disk the photos are on ---


@with_disks
def test_where_the_photos_have_no_room_they_stay_as_they_are_until_there_is(
    tmp_path: Path, ollama: OllamaDouble
) -> None:
    config = settings(tmp_path, ollama.url)
    with disk(tmp_path / "photos", "48m") as folder:
        photos_of_a_person(folder, 4)
        support_imaging.make("bmp", folder)
        before = files(folder)
        ballast = fill(folder, leave_bytes=ROOM_BYTES - (1 << 20))
        first = run(config, folder)
        assert [image.state for image in first.images] == [ImageState.NOT_WRITTEN] * 5
        for image in first.images:
            assert "not enough room on its disk" in (image.reason or "")
        assert files(folder) == before
        told = command(config, "tag", folder)
        assert told.returncode == 3
        assert "not enough room on its disk" in told.stderr
        ballast.unlink()
        assert run(config, folder).failed == []
        assert ollama.count == 5
        assert_all_written(folder, 4)
        assert (folder / "bmp.bmp.xmp").exists()
        assert command(config, "verify").returncode == 0


@with_disks
def test_a_disk_without_room_for_one_more_file_is_called_full(
    tmp_path: Path, ollama: OllamaDouble
) -> None:
    config = settings(tmp_path, ollama.url)
    with disk(tmp_path / "photos", "48m", "nr_inodes=16") as folder:
        photos_of_a_person(folder, 2)
        before = files(folder)
        fillers = []
        while os.statvfs(folder).f_favail:
            fillers.append(folder / f"{len(fillers)}.txt")
            fillers[-1].touch()
        first = run(config, folder)
        for image in first.images:
            assert image.state is ImageState.NOT_WRITTEN
            assert image.reason == (
                "the system says: its disk has no room for one more file"
            )
        for filler in fillers:
            filler.unlink()
        assert files(folder) == before
        assert run(config, folder).failed == []
        assert_all_written(folder, 2)


# exiftool, but the disk runs full at the moment it is told to write the copy.
FILLS_UP = """#!{python}
import subprocess, sys
sys.path.insert(0, {root!r})
from pathlib import Path
from tests.support_disks import fill
real = subprocess.Popen(["exiftool", *sys.argv[1:]], stdin=subprocess.PIPE)
for line in sys.stdin.buffer:
    if line == b"-o\\n" and Path({armed!r}).exists():
        fill(Path({folder!r}))
    real.stdin.write(line)
    real.stdin.flush()
real.stdin.close()
real.wait()
"""


@with_disks
def test_a_disk_that_runs_full_while_the_copy_is_written_harms_no_photo(
    tmp_path: Path, ollama: OllamaDouble
) -> None:
    armed, exiftool = tmp_path / "armed", tmp_path / "exiftool"
    armed.touch()
    with disk(tmp_path / "photos", "48m") as folder:
        exiftool.write_text(
            FILLS_UP.format(
                python=sys.executable,
                root=str(ROOT),
                armed=str(armed),
                folder=str(folder),
            )
        )
        exiftool.chmod(0o755)
        config = settings(tmp_path, ollama.url, metadata={"exiftool": str(exiftool)})
        photos_of_a_person(folder, 3)
        before = files(folder)
        first = run(config, folder)
        reasons = {image.reason for image in first.images}
        assert {image.state for image in first.images} == {ImageState.NOT_WRITTEN}
        assert files(folder) == before, reasons
        assert all("room" in reason or "space" in reason for reason in reasons), reasons
        armed.unlink()
        (folder / "ballast").unlink()
        assert run(config, folder).failed == []
        assert_all_written(folder, 3)


# --- the disk of the data folder ---


@contextmanager
def tagger(config: Config, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A long-running tagger; asked to stop at the end, which it has to do well."""
    with log.open("ab") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "tagger", "run"],
            cwd=ROOT,
            env=as_environment(config),
            stderr=stderr,
        )
    try:
        yield process
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        assert process.wait(30) in (0, -signal.SIGKILL), log.read_text()
    finally:
        process.kill()
        process.wait()
    assert "Traceback" not in log.read_text()


def until(true: Callable[[], bool], *, timeout_s: float = 90.0) -> None:
    end = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


def watch(config: Config, folder: Path) -> None:
    with Database.of(config) as db:
        folders.add(
            db,
            os.fsencode(folder),
            recursive=True,
            write_mode=WriteMode.FILE,
            data_dir=config.data_dir,
        )


def is_paused(config: Config) -> bool:
    with Database.of(config) as db:
        now = status.read(db)
    return now.state == "paused" and "the disk is full" in (now.message or "")


def are_tagged(config: Config, count: int) -> Callable[[], bool]:
    def check() -> bool:
        states = [image.state for image in known_images(config).values()]
        return states == [ImageState.TAGGED] * count

    return check


@with_disks
def test_a_full_data_folder_pauses_the_work_and_loses_nothing(
    tmp_path: Path, ollama: OllamaDouble
) -> None:
    count, folder = 24, tmp_path / "photos"
    photos_of_a_person(folder, count)
    before = {path.name: identity(os.fsencode(path)) for path in folder.iterdir()}
    ollama.delay_s = 0.5
    config = settings(tmp_path, ollama.url)
    with disk(config.data_dir, "160m"):
        watch(config, folder)
        with tagger(config, tmp_path / "log"):
            until(lambda: len(ollama.asked) >= 6)
            ballast = fill(config.data_dir)
            until(lambda: is_paused(config))
            asked = ollama.count
            time.sleep(3)
            assert ollama.count <= asked + 4  # those under way
            ballast.unlink()
            until(are_tagged(config, count))
        assert ollama.count == count  # no answer was lost
        assert_all_written(folder, count)
        assert before == {p.name: identity(os.fsencode(p)) for p in folder.iterdir()}
        told = command(config, "verify", "--json")
        assert json.loads(told.stdout) == {
            "photos": count,
            "out_of_reach": 0,
            "faults": [],
        }


@with_disks
def test_a_tagger_killed_on_a_full_data_folder_waits_at_its_start_and_goes_on(
    tmp_path: Path, ollama: OllamaDouble
) -> None:
    count, folder = 12, tmp_path / "photos"
    photos_of_a_person(folder, count)
    ollama.delay_s = 0.3
    config = settings(tmp_path, ollama.url)
    with disk(config.data_dir, "160m"):
        watch(config, folder)
        with tagger(config, tmp_path / "log") as first:
            until(lambda: len(ollama.asked) >= 5)
            ballast = fill(config.data_dir)
            until(lambda: is_paused(config))
            first.kill()
        with tagger(config, tmp_path / "log") as second:
            time.sleep(4)
            assert second.poll() is None
            ballast.unlink()
            until(are_tagged(config, count))
        assert_all_written(folder, count)
        assert command(config, "verify").returncode == 0


@with_disks
def test_a_command_on_a_full_data_folder_says_so_and_touches_no_photo(
    tmp_path: Path, ollama: OllamaDouble
) -> None:
    folder = tmp_path / "photos"
    photos_of_a_person(folder, 2)
    before = files(folder)
    config = settings(tmp_path, ollama.url)
    with disk(config.data_dir, "160m"):
        ballast = fill(config.data_dir)
        told = command(config, "tag", folder)
        assert told.returncode == 1, told.stderr
        assert "the disk is full; free some space there" in told.stderr
        assert "Traceback" not in told.stderr
        assert files(folder) == before
        ballast.unlink()
        assert command(config, "tag", folder).returncode == 0
        assert_all_written(folder, 2)
