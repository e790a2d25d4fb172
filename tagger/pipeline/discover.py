"""Discover: walk folders, and tell the tracking database what is there.

The scan is the truth, and cheap: one `scandir` pass with the stat of each photo. It is
careful about absence. A folder that cannot be reached, is on another disk than before,
or is suddenly empty is called offline, and nothing in it is held to be missing.
"""

import logging
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tagger.errors import shown
from tagger.imaging.formats import EXTENSIONS
from tagger.records import Folder, StatKey
from tagger.tracking import files, folders
from tagger.tracking.database import Database
from tagger.tracking.files import ScanOutcome, Seen, is_within

log = logging.getLogger(__name__)

OWN_TEMPORARY = b".tagger-"
SUFFIXES = tuple(os.fsencode(extension) for extension in EXTENSIONS)
# How many known photos must be found before another disk is believed to be the old one.
DEVICE_SAMPLE = 50

Place = tuple[int, int]


@dataclass(slots=True)
class Walk:
    """What one pass over a folder met."""

    seen: list[Seen] = field(default_factory=list)
    unreadable: list[bytes] = field(default_factory=list)
    strays: list[bytes] = field(default_factory=list)


def is_photo(name: bytes) -> bool:
    """Whether a name is a photo's: a known ending, neither hidden nor temporary."""
    lower = name.lower()
    return (
        lower.endswith(SUFFIXES)
        and not lower.startswith(b".")
        and not lower.endswith(b"_exiftool_tmp")
    )


def walk(
    root: bytes,
    *,
    recursive: bool,
    leave_out: Iterable[Place] = (),
    data_dir: Path | None = None,
) -> Walk:
    """List the photos below `root`, each once, whatever links lead to it.

    `leave_out` are folders (device, inode) that belong to somebody else: nested
    folders with settings of their own.
    """
    found = Walk()
    visited: set[Place] = set(leave_out)
    waiting = [root]
    while waiting:
        directory = waiting.pop()
        try:
            with os.scandir(directory) as entries:
                if not _first_visit(directory, visited):
                    continue
                below = _take(entries, found)
        except FileNotFoundError:
            continue  # removed since it was listed: its photos are missing
        except OSError as error:
            log.warning("%s cannot be read: %s", shown(directory), error.strerror)
            found.unreadable.append(directory)
            continue
        if recursive:
            waiting += [
                path
                for path in below
                if data_dir is None or not folders.inside_data(path, data_dir)
            ]
    return found


def _first_visit(directory: bytes, visited: set[Place]) -> bool:
    stat = os.stat(directory)
    place = (stat.st_dev, stat.st_ino)
    if place in visited:
        return False
    visited.add(place)
    return True


def _take(entries: Iterable[os.DirEntry[bytes]], found: Walk) -> list[bytes]:
    """Note the photos of one directory; returns the folders below it."""
    below = []
    for entry in entries:
        if entry.name.startswith(OWN_TEMPORARY):
            found.strays.append(entry.path)
        if entry.name.startswith(b"."):
            continue
        try:
            if entry.is_dir():
                linked = entry.is_symlink()
                below.append(os.path.realpath(entry.path) if linked else entry.path)
            elif is_photo(entry.name) and entry.is_file():
                found.seen.append(_seen(entry))
        except OSError as error:  # gone since it was listed, or a broken link
            log.info("%s left out: %s", shown(entry.path), error.strerror)
    return below


def _seen(entry: os.DirEntry[bytes]) -> Seen:
    path = os.path.realpath(entry.path) if entry.is_symlink() else entry.path
    return Seen(path, StatKey.of(entry.stat()))


class Scanner:
    """Looks through folders on behalf of one tagger process."""

    def __init__(self, db: Database, *, data_dir: Path, settle_s: float) -> None:
        self._db = db
        self._data_dir = data_dir
        self._settle_s = settle_s
        self._started = time.time()

    def scan(self, folder: Folder, *, alone: bool = False) -> ScanOutcome | None:
        """Look through a folder; None if it is offline, which is then noted.

        `alone` says no other tagger is at work, so that temporary files from before
        this process began are left-overs of a kill and may go.
        """
        folders.scan_begins(self._db, folder.id)
        if reason := self._offline(folder):
            folders.set_offline(self._db, folder.id, reason)
            log.warning("%s is offline: %s", shown(folder.path), reason)
            return None
        found = self._walk(folder, folder.path)
        if self._suddenly_empty(folder, found):
            reason = "it is suddenly empty; is its disk connected?"
            folders.set_offline(self._db, folder.id, reason)
            return None
        folders.set_offline(self._db, folder.id, None)
        if alone:
            self._remove_strays(found.strays)
        return files.apply_scan(
            self._db,
            folder.id,
            found.seen,
            unreadable=found.unreadable,
            settle_s=self._settle_s,
        )

    def look_at(self, folder: Folder, paths: Sequence[bytes]) -> ScanOutcome | None:
        """Look at a few files and subfolders only: what a watcher hinted at."""
        if not os.path.isdir(folder.path):
            return self.scan(folder)
        seen: dict[bytes, Seen] = {}
        unreadable: list[bytes] = []
        for path in paths:
            found = self._walk(folder, path) if os.path.isdir(path) else _single(path)
            seen |= {one.path: one for one in found.seen}
            unreadable += [p for p in found.unreadable if os.path.isdir(p)]
        return files.apply_scan(
            self._db,
            folder.id,
            list(seen.values()),
            within=paths,
            unreadable=unreadable,
            settle_s=self._settle_s,
        )

    def _walk(self, folder: Folder, start: bytes) -> Walk:
        return walk(
            start,
            recursive=folder.recursive,
            leave_out=self._nested(folder),
            data_dir=self._data_dir,
        )

    def _nested(self, folder: Folder) -> list[Place]:
        """The roots of other folders inside this one: those have their own settings."""
        places = []
        for other in folders.every(self._db):
            if other.id != folder.id and is_within(other.path, folder.path):
                try:
                    stat = os.stat(other.path)
                except OSError:
                    continue  # gone: the walk will not meet it either
                places.append((stat.st_dev, stat.st_ino))
        return places

    def _offline(self, folder: Folder) -> str | None:
        """Why a folder cannot be looked through now; None if it can."""
        try:
            device = os.stat(folder.path).st_dev
            os.scandir(folder.path).close()
        except FileNotFoundError:
            return "there is no such folder now; is its disk connected?"
        except OSError as error:
            return f"it cannot be read: {error.strerror}"
        known = folders.root_device(self._db, folder.id)
        if device != known:
            # Disks change their numbers from one start of the machine to the next.
            if known is not None and not self._still_there(folder):
                return "another disk is mounted there, without the photos known so far"
            folders.set_root_device(self._db, folder.id, device)
        return None

    def _still_there(self, folder: Folder) -> bool:
        sample = files.paths(self._db, folder.id, limit=DEVICE_SAMPLE)
        return not sample or any(os.path.exists(path) for path in sample)

    def _suddenly_empty(self, folder: Folder, found: Walk) -> bool:
        if found.seen or found.unreadable:
            return False
        if not files.paths(self._db, folder.id, limit=1):
            return False
        return not any(os.scandir(folder.path))

    def _remove_strays(self, strays: Iterable[bytes]) -> None:
        for path in strays:
            try:
                if os.lstat(path).st_ctime < self._started:
                    os.unlink(path)
                    log.info("removed a left-over temporary file: %s", shown(path))
            except FileNotFoundError:
                log.debug("%s is gone already", shown(path))
            except OSError as error:
                log.warning("%s cannot be removed: %s", shown(path), error.strerror)


def _single(path: bytes) -> Walk:
    """A hint about one file: there with its stat, or not there."""
    found = Walk()
    if is_photo(os.path.basename(path)):
        try:
            if os.path.isfile(path):
                found.seen.append(Seen(path, StatKey.of(os.stat(path))))
        except OSError as error:
            log.info("%s left out: %s", shown(path), error.strerror)
    return found
