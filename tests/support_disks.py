"""Small disks for tests, and a tagger run as somebody with few rights.

    @with_disks
    def test_…(tmp_path):
        with disk(tmp_path / "photos", "48m") as photos:
            fill(photos)

Mounting takes rights that not everybody has. Where it is refused, the test runs again
as the root of a namespace of its own; it is never left out.
"""

import contextlib
import functools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tagger.config import Config
from tests.support_pipeline import as_environment

ROOT = Path(__file__).resolve().parent.parent
INSIDE = "TEST_IN_A_NAMESPACE"
BLOCK_BYTES = 1 << 16


def with_disks(test: Callable[..., None]) -> Callable[..., None]:
    """A test that mounts disks: here if that is allowed, else in a namespace."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        if INSIDE in os.environ or _may_mount():
            test(*args, **kwargs)
        else:
            _again_in_a_namespace()

    return run


@functools.cache
def _may_mount() -> bool:
    with tempfile.TemporaryDirectory() as place:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place],
            capture_output=True,
        )
        if mounted.returncode == 0:
            subprocess.run(["umount", place], check=True)
        return mounted.returncode == 0


def _again_in_a_namespace() -> None:
    test = os.environ["PYTEST_CURRENT_TEST"].rpartition(" ")[0]
    pytest = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
    with tempfile.TemporaryDirectory() as place:
        done = subprocess.run(
            [
                *("unshare", "--user", "--map-root-user", "--mount", *pytest),
                *("-m", "slow or not slow", "--timeout", "600"),
                *("--basetemp", f"{place}/tests", test),
            ],
            cwd=ROOT,
            env=os.environ | {INSIDE: "1"},
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stdout + done.stderr


@contextlib.contextmanager
def disk(place: Path, size: str, *options: str) -> Iterator[Path]:
    """A disk in memory of this size, mounted at `place`."""
    place.mkdir(parents=True, exist_ok=True)
    settings = ",".join([f"size={size}", *options])
    _mount("-t", "tmpfs", "-o", settings, "tmpfs", str(place))
    try:
        yield place
    finally:
        # A process that is still ending may be in there.
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@contextlib.contextmanager
def another_way_in(folder: Path, place: Path) -> Iterator[Path]:
    """The folder once more, at `place`: a bind mount."""
    place.mkdir()
    _mount("--bind", str(folder), str(place))
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def set_read_only(place: Path, read_only: bool) -> None:
    """Mount what is mounted at `place` anew, so that it can, or cannot, be written."""
    _mount("-o", f"remount,bind,{'ro' if read_only else 'rw'}", str(place))


def _mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def fill(folder: Path, *, leave_bytes: int = 0) -> Path:
    """Fill a disk up, but for so much; the file to be deleted to make room again."""
    ballast = folder / "ballast"
    free = os.statvfs(folder)
    left_bytes = free.f_bavail * free.f_frsize - leave_bytes
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while left_bytes > 0 or not leave_bytes:
            block = BLOCK_BYTES if not leave_bytes else min(BLOCK_BYTES, left_bytes)
            left_bytes -= file.write(b"\xaa" * block)
    return ballast


def command(
    config: Config, *arguments: str | Path, rightless: bool = False
) -> subprocess.CompletedProcess[str]:
    """`python -m tagger …` as a person runs it.

    To root every file is writable; `rightless` takes that away, so that the command
    may do what the owner of the files may.
    """
    drop = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    return subprocess.run(
        [
            *(drop if rightless and os.geteuid() == 0 else []),
            *(sys.executable, "-m", "tagger", *map(str, arguments)),
        ],
        cwd=ROOT,
        env=as_environment(config),
        capture_output=True,
        text=True,
        timeout=120,
    )


def tagged(
    config: Config, folder: Path, *options: str, rightless: bool = False
) -> dict[str, tuple[str, str | None, str | None]]:
    """Tag a folder by command: of each photo its state, where it was written, and why
    not as the folder asks."""
    done = command(config, "tag", "--json", *options, folder, rightless=rightless)
    assert done.returncode in (0, 3), done.stderr
    assert "Traceback" not in done.stderr
    return {
        os.path.basename(photo["file"]): (
            photo["state"],
            photo["written"],
            photo["reason"],
        )
        for photo in json.loads(done.stdout)["photos"]
    }
