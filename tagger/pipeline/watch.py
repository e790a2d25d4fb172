"""Watch: hints from the operating system that something in a folder changed.

Hints are never believed to be complete: events get lost in bursts and beyond the
kernel's limit of watches. They make changes show up at once; the regular scan makes
sure. Events are collected until it has been quiet for a moment.
"""

import logging
import os
import threading
import time
from collections.abc import Sequence

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, ObservedWatch

from tagger.errors import shown
from tagger.pipeline.walking import OWN_TEMPORARY, is_photo, is_sidecar
from tagger.records import Folder

log = logging.getLogger(__name__)

QUIET_S = 1.0
# Where it is never quiet, this long at most.
LOUD_S = 5.0
# A folder that could not be watched is tried again after this time.
AGAIN_S = 300.0
# Beyond this many single files a look at the whole folder is cheaper.
MANY_FILES = 2_000
# What the kernel tells apart but means no change of a photo.
UNTELLING = frozenset({"opened", "closed_no_write"})

# What must be watched anew if it changes: id, path, with subfolders, device, inode.
Subject = tuple[int, bytes, bool, int, int]


class Watcher:
    """Watches folders, and says which of their files and subfolders to look at."""

    def __init__(self) -> None:
        self._observer: BaseObserver = Observer()
        self._watches: dict[Subject, ObservedWatch] = {}
        self._failed: dict[Subject, tuple[float, str]] = {}
        self._hints: dict[int, set[bytes]] = {}
        self._first_event = self._last_event = 0.0
        self._lock = threading.Lock()

    @property
    def problem(self) -> str | None:
        """Why some folder is not watched, if so."""
        return next((problem for _, problem in self._failed.values()), None)

    def start(self) -> None:
        self._observer.start()

    def stop(self) -> None:
        self._observer.stop()
        self._observer.join(2.0)

    def follow(
        self, folders: list[Folder], mirrors: Sequence[tuple[int, bytes]] = ()
    ) -> None:
        """Watch exactly these from now on; mirrors by the ids of their folders."""
        wanted = {s for s in map(_subject, folders) if s is not None}
        wanted |= {s for s in (_place(*one) for one in mirrors) if s is not None}
        alive = {e.watch for e in self._observer.emitters if e.is_alive()}
        for subject, watch in list(self._watches.items()):
            if subject not in wanted or watch not in alive:
                del self._watches[subject]
                if watch in {e.watch for e in self._observer.emitters}:
                    self._observer.unschedule(watch)
        self._failed = {s: f for s, f in self._failed.items() if s in wanted}
        for subject in wanted - set(self._watches):
            failed_at, _ = self._failed.get(subject, (-AGAIN_S, ""))
            if time.monotonic() - failed_at > AGAIN_S:
                self._schedule(subject)

    def _schedule(self, subject: Subject) -> None:
        folder_id, path, recursive, *_ = subject
        handler = _Handler(self, folder_id)
        try:
            self._watches[subject] = self._observer.schedule(
                handler, os.fsdecode(path), recursive=recursive
            )
        except OSError as error:
            # Most often the limit of inotify watches; scans go on without hints.
            problem = (
                f"{shown(path)} cannot be watched ({error.strerror}); "
                "it is looked through at intervals instead"
            )
            log.warning("%s", problem)
            self._failed[subject] = time.monotonic(), problem
        else:
            self._failed.pop(subject, None)
            # What came in before it was watched has given no hint.
            self.note(folder_id, path)

    def note(self, folder_id: int, path: bytes) -> None:
        """Remember that something happened at `path`."""
        with self._lock:
            self._last_event = time.monotonic()
            if not self._hints:
                self._first_event = self._last_event
            self._hints.setdefault(folder_id, set()).add(path)

    def forget(self, folder_id: int) -> None:
        """Drop the hints of a folder that is about to be looked through as a whole."""
        with self._lock:
            self._hints.pop(folder_id, None)

    def hints(self) -> dict[int, list[bytes] | None]:
        """What to look at, once it is quiet; None means the whole folder."""
        with self._lock:
            now = time.monotonic()
            is_quiet = now - self._last_event > QUIET_S
            if not is_quiet and now - self._first_event < LOUD_S:
                return {}
            taken, self._hints = self._hints, {}
        return {
            folder_id: sorted(paths) if len(paths) <= MANY_FILES else None
            for folder_id, paths in taken.items()
        }


def _subject(folder: Folder) -> Subject | None:
    """A folder as it is now; one that was moved away and made anew is another one."""
    if folder.offline:
        return None
    return _place(folder.id, folder.path, recursive=folder.recursive)


def _place(folder_id: int, path: bytes, *, recursive: bool = True) -> Subject | None:
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return (folder_id, path, recursive, stat.st_dev, stat.st_ino)


class _Handler(FileSystemEventHandler):
    def __init__(self, watcher: Watcher, folder_id: int) -> None:
        self._watcher = watcher
        self._folder_id = folder_id

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type in UNTELLING:
            return
        source = os.fsencode(event.src_path)
        if os.path.basename(source).startswith(OWN_TEMPORARY):
            return  # our own write, its replacing of the photo included
        for path in (source, os.fsencode(event.dest_path or b"")):
            if event.is_directory:
                if path and event.event_type != "modified":
                    self._watcher.note(self._folder_id, path)
            elif is_photo(name := os.path.basename(path)) or is_sidecar(name):
                self._watcher.note(self._folder_id, path)
