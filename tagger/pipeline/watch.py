"""Watch: hints from the operating system that something in a folder changed.

Hints are never believed to be complete: events get lost in bursts and beyond the
kernel's limit of watches. They make changes show up at once; the regular scan makes
sure. Events are collected until it has been quiet for a moment.
"""

import logging
import os
import threading
import time

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, ObservedWatch

from tagger.errors import shown
from tagger.pipeline.discover import OWN_TEMPORARY, is_photo
from tagger.records import Folder

log = logging.getLogger(__name__)

QUIET_S = 1.0
# Beyond this many single files a look at the whole folder is cheaper.
MANY_FILES = 2_000
# What the kernel tells apart but means no change of a photo.
UNTELLING = frozenset({"opened", "closed_no_write"})


class Watcher:
    """Watches folders, and says which of their files and subfolders to look at."""

    def __init__(self) -> None:
        self._observer: BaseObserver = Observer()
        self._watches: dict[int, ObservedWatch] = {}
        self._hints: dict[int, set[bytes]] = {}
        self._last_event = 0.0
        self._lock = threading.Lock()
        self.problem: str | None = None

    def start(self) -> None:
        self._observer.start()

    def stop(self) -> None:
        self._observer.stop()
        self._observer.join(5.0)

    def follow(self, folders: list[Folder]) -> None:
        """Watch exactly these folders from now on."""
        wanted = {folder.id: folder for folder in folders if not folder.offline}
        for folder_id in set(self._watches) - set(wanted):
            self._observer.unschedule(self._watches.pop(folder_id))
        for folder_id in set(wanted) - set(self._watches):
            self._schedule(wanted[folder_id])

    def _schedule(self, folder: Folder) -> None:
        handler = _Handler(self, folder.id)
        try:
            self._watches[folder.id] = self._observer.schedule(
                handler, os.fsdecode(folder.path), recursive=folder.recursive
            )
        except OSError as error:
            # Most often the limit of inotify watches; scans go on without hints.
            self.problem = (
                f"{shown(folder.path)} cannot be watched ({error.strerror}); "
                "it is looked through at intervals instead"
            )
            log.warning("%s", self.problem)

    def note(self, folder_id: int, path: bytes) -> None:
        """Remember that something happened at `path`."""
        with self._lock:
            self._hints.setdefault(folder_id, set()).add(path)
            self._last_event = time.monotonic()

    def hints(self) -> dict[int, list[bytes] | None]:
        """What to look at, once it is quiet; None means the whole folder."""
        with self._lock:
            if time.monotonic() - self._last_event < QUIET_S:
                return {}
            taken, self._hints = self._hints, {}
        return {
            folder_id: sorted(paths) if len(paths) <= MANY_FILES else None
            for folder_id, paths in taken.items()
        }


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
            elif is_photo(os.path.basename(path)):
                self._watcher.note(self._folder_id, path)
