"""Presence: which processes that work on a data folder are alive, by locks they hold.

The system takes a lock away from a process that ends, however it ends, and leaves it to
one that was merely suspended. So a lock in the data folder tells what a process id, or
how long ago somebody reported, cannot: whether leases are anybody's still. Each token
of a lease begins with the mark of the process that holds it.
"""

import errno
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from tagger.errors import DataError, DataFull

FOLDER = "taggers"
TAGGER = "tagger.lock"
# Whoever looks whether that lock is free has it for a moment.
LOOK_S = 1.0
# Somebody else may be looking whether our new lock is free.
TAKE_S = 10.0

_FULL = (errno.ENOSPC, errno.EDQUOT)

_held: dict[Path, tuple[str, FileLock]] = {}
_taking = threading.Lock()


@contextmanager
def exclusive(path: Path, *, wait_s: float = 0.0) -> Iterator[bool]:
    """Hold a lock for the block; False if another process has it, `wait_s` long."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, thread_local=False)
    try:
        lock.acquire(timeout=wait_s)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


@contextmanager
def only_tagger(data_dir: Path) -> Iterator[bool]:
    """Be the one long-running tagger of a data folder; False if another is it."""
    with exclusive(data_dir / TAGGER, wait_s=LOOK_S) as is_ours:
        yield is_ours


def has_tagger(data_dir: Path) -> bool:
    """Whether a long-running tagger works on a data folder, in whichever container."""
    with exclusive(data_dir / TAGGER) as is_free:
        return not is_free


def mark(data_dir: Path) -> str:
    """This process's mark in a data folder; its lock is held until the process ends."""
    folder = _folder(data_dir)
    with _taking:
        if folder not in _held:
            name = uuid.uuid4().hex
            _held[folder] = name, _locked(folder / f"{name}.lock")
        return _held[folder][0]


def _locked(path: Path) -> FileLock:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path, thread_local=False)
        lock.acquire(timeout=TAKE_S)
    except OSError as error:
        kind = DataFull if error.errno in _FULL else DataError
        raise kind(f"{path.parent}: a lock cannot be made: {error.strerror}") from error
    return lock


def others(data_dir: Path) -> list[str]:
    """The marks of other processes that are alive."""
    return [name for name, is_alive in _others(data_dir).items() if is_alive]


def bury(data_dir: Path, inherit: Callable[[str], None]) -> list[str]:
    """Call `inherit` with the mark of each process that has died; their marks.

    One process alone does that for each of them.
    """
    buried = []
    for name, is_alive in _others(data_dir).items():
        if is_alive:
            continue
        path = _folder(data_dir) / f"{name}.lock"
        with exclusive(path) as is_ours:
            if is_ours and path.exists():
                inherit(name)
                path.unlink()
                buried.append(name)
    return buried


def _others(data_dir: Path) -> dict[str, bool]:
    """Every mark but our own, and whether its process is alive."""
    folder = _folder(data_dir)
    ours = _held.get(folder, ("", None))[0]
    found = {}
    for path in sorted(folder.glob("*.lock")):
        if path.stem != ours:
            with exclusive(path) as is_free:
                found[path.stem] = not is_free
    return found


def _folder(data_dir: Path) -> Path:
    return data_dir.resolve() / FOLDER
