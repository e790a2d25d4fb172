"""A decoder that hangs, crashes or eats memory costs its photo, and nothing else."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tagger.errors import UnreadableImage
from tagger.imaging.budget import DECODING
from tagger.imaging.darkroom import Darkroom, DecoderHung
from tagger.imaging.look import look
from tagger.pipeline.workshop import opened
from tagger.records import ImageState, WriteMode
from tagger.tracking import folders, runs, snapshots
from tagger.vision.choose import choose
from tests.ollama_double import OllamaDouble
from tests.support_pipeline import known_images, numbered, reads_number, settings
from tests.support_raw import dng
from tests.support_servers import tick_until

SAMPLES = Path(__file__).resolve().parent.parent / "data" / "samples"
TIMEOUT_S = 2


@pytest.fixture
def darkroom() -> Iterator[Darkroom]:
    room = Darkroom(timeout_s=TIMEOUT_S)
    yield room
    room.close()


@pytest.fixture
def photo(tmp_path: Path) -> bytes:
    return os.fsencode(numbered(tmp_path / "5.jpg", 5))


@pytest.fixture(scope="module")
def slow_photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One whose decoding takes a while."""
    folder = tmp_path_factory.mktemp("large")
    return numbered(folder / "large.png", 7, width_px=5000, kind="png")


@pytest.fixture
def large(slow_photo: Path, tmp_path: Path) -> bytes:
    return os.fsencode(shutil.copyfile(slow_photo, tmp_path / "large.png"))


def suspend(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)
    while psutil.Process(pid).status() != psutil.STATUS_STOPPED:
        time.sleep(0.005)


@pytest.mark.parametrize(
    "name",
    [path.name for path in sorted(SAMPLES.iterdir()) if path.suffix != ".md"],
)
def test_a_child_finds_what_is_found_without_one(name: str, darkroom: Darkroom) -> None:
    path = os.fsencode(SAMPLES / name)
    here, there = look(path, side_px=640), darkroom.look(path, side_px=640)
    for what in ("identity", "content_hash", "facts", "thumbnail", "dhash", "note"):
        assert getattr(there, what) == getattr(here, what)
    assert (there.picture.pixels == here.picture.pixels).all()
    assert there.picture.jpeg() == here.picture.jpeg()


def test_for_servers_the_jpeg_is_all_that_is_brought(
    darkroom: Darkroom, photo: bytes
) -> None:
    found = darkroom.look(photo, side_px=224, with_pixels=False)
    assert found.picture.jpeg() == look(photo, side_px=224).picture.jpeg()
    assert found.picture.pixels.shape == (168, 224, 3)


def test_a_raw_photo_is_looked_at_too(darkroom: Darkroom, tmp_path: Path) -> None:
    path = tmp_path / "photo.dng"
    path.write_bytes(dng())
    here = look(os.fsencode(path), side_px=224)
    assert darkroom.look(os.fsencode(path), side_px=224).identity == here.identity


def test_what_is_wrong_with_a_photo_is_said_in_the_same_words(
    darkroom: Darkroom, tmp_path: Path
) -> None:
    for name, content in (
        ("empty", b""),
        ("text", b"no picture"),
        ("zeros", bytes(99)),
    ):
        path = tmp_path / f"{name}.jpg"
        path.write_bytes(content)
        with pytest.raises(UnreadableImage) as here:
            look(os.fsencode(path), side_px=224)
        with pytest.raises(UnreadableImage) as there:
            darkroom.look(os.fsencode(path), side_px=224)
        assert str(there.value) == str(here.value)
    assert len(darkroom.pids) == 1  # and no child was lost over it


def test_a_decoder_that_hangs_is_ended_and_replaced(
    darkroom: Darkroom, photo: bytes
) -> None:
    darkroom.look(photo, side_px=224)
    [hung] = darkroom.pids
    suspend(hung)
    began = time.monotonic()
    with pytest.raises(DecoderHung, match="did not come to an end"):
        darkroom.look(photo, side_px=224)
    assert time.monotonic() - began < TIMEOUT_S + 5
    assert not psutil.pid_exists(hung)
    assert darkroom.look(photo, side_px=224).identity
    assert hung not in darkroom.pids


def test_a_decoder_that_crashes_is_replaced_and_the_photo_tried_once_more(
    darkroom: Darkroom, large: bytes
) -> None:
    crashed: list[int] = []

    def crash_once() -> None:
        while not darkroom.pids:
            time.sleep(0.001)
        crashed.append(darkroom.pids[0])
        wait_until_it_has_open(crashed[0], large)
        os.kill(crashed[0], signal.SIGSEGV)

    watching = threading.Thread(target=crash_once)
    watching.start()
    found = darkroom.look(large, side_px=224)
    watching.join()
    assert found.facts.width_px == 5000
    assert crashed[0] not in darkroom.pids


def test_a_photo_that_always_crashes_its_decoder_is_named(
    darkroom: Darkroom, large: bytes
) -> None:
    stop = threading.Event()

    def crash_all() -> None:
        while not stop.is_set():
            for pid in darkroom.pids:
                if has_open(pid, large):
                    os.kill(pid, signal.SIGSEGV)
            time.sleep(0.001)

    watching = threading.Thread(target=crash_all)
    watching.start()
    with pytest.raises(UnreadableImage, match="its decoder crashed on it"):
        darkroom.look(large, side_px=224)
    stop.set()
    watching.join()


def test_children_stay_within_one_budget(tmp_path: Path) -> None:
    """What one holds, another waits for, although they are different processes."""
    room = Darkroom(timeout_s=30)
    path = os.fsencode(numbered(tmp_path / "a.png", 1, width_px=2000, kind="png"))
    done = threading.Event()

    def work() -> None:
        room.look(path, side_px=224)
        done.set()

    with DECODING.hold(128_000_000):
        looking = threading.Thread(target=work)
        looking.start()
        assert not done.wait(3)
    assert done.wait(20)
    looking.join()
    room.close()


def test_without_children_photos_are_looked_at_all_the_same(
    photo: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    for command in (
        ("/no/such/program",),
        (sys.executable, "-c", "raise SystemExit(3)"),
    ):
        room = Darkroom(command=command)
        assert room.look(photo, side_px=224).identity
        assert "decoded without protection" in caplog.text
        caplog.clear()


def test_children_end_with_the_program(tmp_path: Path, photo: bytes) -> None:
    code = (
        "import os, sys, signal; from tagger.imaging.darkroom import DARKROOM; "
        f"DARKROOM.look({photo!r}, side_px=224); "
        "print(DARKROOM.pids[0], flush=True); "
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=SAMPLES.parent.parent,
    )
    pid = int(killed.stdout)
    end = time.monotonic() + 10
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie":
        assert time.monotonic() < end
        time.sleep(0.05)


def has_open(pid: int, path: bytes) -> bool:
    """Whether a process has a file open, which may end while it is asked."""
    folder = f"/proc/{pid}/fd"
    with contextlib.suppress(OSError):
        return path in {_target(f"{folder}/{name}") for name in os.listdir(folder)}
    return False


def _target(link: str) -> bytes:
    with contextlib.suppress(OSError):
        return os.fsencode(os.readlink(link))
    return b""


def wait_until_it_has_open(pid: int, path: bytes) -> None:
    while not has_open(pid, path):
        time.sleep(0.001)


def test_the_run_goes_on_past_a_photo_on_which_the_decoder_hangs(
    tmp_path: Path, large: bytes
) -> None:
    """Each decoder that opens the photo is stopped, as if it never came back."""
    folder = tmp_path / "photos"
    for number in range(1, 5):
        numbered(folder / f"{number}.jpg", number)
    target = folder / "0.png"
    shutil.move(os.fsdecode(large), target)
    room = Darkroom(timeout_s=TIMEOUT_S)
    stop = threading.Event()
    hung: set[int] = set()

    def hang() -> None:
        while not stop.is_set():
            for pid in room.pids:
                if pid not in hung and has_open(pid, os.fsencode(target)):
                    os.kill(pid, signal.SIGSTOP)
                    hung.add(pid)
            time.sleep(0.001)

    watching = threading.Thread(target=hang)
    with OllamaDouble(reads_number) as ollama:
        config = settings(tmp_path, ollama.url, metadata={"write_mode": "none"})
        with opened(config, darkroom=room) as shop:
            added = folders.add(
                shop.db,
                os.fsencode(folder),
                recursive=True,
                write_mode=WriteMode.NONE,
                data_dir=config.data_dir,
            )
            shop.scanner.scan(added)
            flow = shop.flow(
                choose(config).members, run_id=runs.begin(shop.db, "run"), patient=True
            )
            watching.start()
            done: Callable[[], bool] = lambda: all(  # noqa: E731
                image.state in (ImageState.TAGGED, ImageState.FAILED)
                for image in snapshots.after(shop.db, 0, limit=9)
            )
            try:
                tick_until(flow, done)
            finally:
                stop.set()
                watching.join()
                flow.close()
                room.close()
        assert ollama.count == 4
    assert len(hung) == 2
    images = known_images(config)
    assert images["0.png"].state is ImageState.FAILED
    assert "did not come to an end" in str(images["0.png"].reason)
    assert {images[f"{n}.jpg"].state for n in range(1, 5)} == {ImageState.TAGGED}
    assert not any(psutil.pid_exists(pid) for pid in hung)
