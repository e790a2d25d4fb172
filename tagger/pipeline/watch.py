"""Watch: hints from the operating system that something in a folder changed.

Hints are never believed to be complete: events get lost in bursts, beyond the kernel's
limit of watches, and on network shares, where there are none. They make changes show up
at once; the regular scan makes sure. What is not watched and what was lost is said.
Events are collected until it has been quiet for a moment.
"""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers.api import ObservedWatch

from tagger.errors import shown
from tagger.pipeline.walking import OWN_TEMPORARY, is_photo, is_sidecar
from tagger.records import Folder, Watching
from tagger.tracking import filesystems

if sys.platform == "linux":
    from tagger.pipeline.inotify import EVENTS, Observer, limit
else:
    from watchdog.observers import Observer

    EVENTS: Any = None

log = logging.getLogger(__name__)

QUIET_S = 1.0
# Where it is never quiet, this long at most.
LOUD_S = 5.0
# A folder that could not be watched is tried again after this time; one that is watched
# in part also when the limit was changed.
AGAIN_S = 300.0
AGAIN_IN_PART_S = 1800.0
# Beyond this many single files a look at the whole folder is cheaper.
MANY_FILES = 2_000
# What the kernel tells apart but means no change of a photo.
UNTELLING = frozenset({"opened", "closed_no_write"})

# What must be watched anew if it changes: id, path, with subfolders, device, inode.
Subject = tuple[int, bytes, bool, int, int]


def share_of(path: bytes) -> str:
    """The kind of network share a folder is on; empty if it is on none."""
    kind = filesystems.kind_of(Path(os.fsdecode(path)))
    return kind if kind in filesystems.UNTELLING else ""


class Watcher:
    """Watches folders, and says which of their files and subfolders to look at.

    With `shares` also those on network shares; `share_of` tells the kind of one. What
    is not watched is looked through every `interval_min`; that is only said here.
    """

    def __init__(
        self,
        *,
        interval_min: float = 15.0,
        shares: bool = False,
        share_of: Callable[[bytes], str] = share_of,
    ) -> None:
        self._observer = Observer()
        self._interval_min = interval_min
        self._own_min: dict[int, float | None] = {}
        self._share_of = (lambda _: "") if shares else share_of
        self._watches: dict[Subject, tuple[float, ObservedWatch]] = {}
        self._failed: dict[Subject, tuple[float, str]] = {}
        self._untelling: dict[Subject, str] = {}
        self._mirrors: set[bytes] = set()
        self._limit: int | None = None
        self._hints: dict[int, set[bytes] | None] = {}
        self._lost: set[int] = set()
        self._first_event = self._last_event = 0.0
        self._lock = threading.Lock()

    def start(self) -> None:
        self._observer.start()

    def stop(self) -> None:
        self._observer.stop()
        self._observer.join(2.0)

    def follow(
        self, folders: list[Folder], mirrors: Sequence[tuple[int, bytes]] = ()
    ) -> None:
        """Watch exactly these from now on, but those that give no sign.

        Mirrors are given by the ids of their folders.
        """
        self._mirrors = {path for _, path in mirrors}
        self._own_min = {one.id: one.scan_interval_min for one in folders}
        wanted = {s for s in map(_subject, folders) if s is not None}
        wanted |= {s for s in (_place(*one) for one in mirrors) if s is not None}
        for subject in wanted - set(self._watches) - set(self._untelling):
            self._untelling[subject] = self._share_of(subject[1])
        self._untelling = {s: k for s, k in self._untelling.items() if s in wanted}
        wanted = {s for s in wanted if not self._untelling.get(s)}
        self._drop(wanted)
        self._failed = {s: f for s, f in self._failed.items() if s in wanted}
        for subject in wanted - set(self._watches):
            failed_at, _ = self._failed.get(subject, (-AGAIN_S, ""))
            if time.monotonic() - failed_at > AGAIN_S:
                self._schedule(subject)

    def _drop(self, wanted: set[Subject]) -> None:
        """Let go of what is not wanted, has died, or could be watched better now."""
        emitters = {e.watch: e for e in self._observer.emitters}
        raised = self._is_limit_new()
        for subject, (since, watch) in list(self._watches.items()):
            emitter = emitters.get(watch)
            alive = emitter is not None and emitter.is_alive()
            in_part = bool(getattr(emitter, "refused", 0))
            old = time.monotonic() - since > AGAIN_IN_PART_S
            if subject in wanted and alive and not (in_part and (raised or old)):
                continue
            del self._watches[subject]
            if emitter is not None:
                self._observer.unschedule(watch)

    def _is_limit_new(self) -> bool:
        if sys.platform != "linux":
            return False
        before, self._limit = self._limit, limit()
        return before != self._limit

    def _schedule(self, subject: Subject) -> None:
        folder_id, path, recursive, *_ = subject
        handler = _Handler(self, folder_id)
        try:
            watch = self._observer.schedule(
                handler, os.fsdecode(path), recursive=recursive, event_filter=EVENTS
            )
        except OSError as error:
            # Most often the limit of inotify watches; scans go on without hints.
            problem = (
                f"{shown(path)} cannot be watched ({error.strerror}); "
                "it is looked through at intervals instead, "
                f"every {self._every(folder_id)}"
            )
            log.warning("%s", problem)
            self._failed[subject] = time.monotonic(), problem
        else:
            self._failed.pop(subject, None)
            self._watches[subject] = time.monotonic(), watch
            if in_part := self._in_part(subject):
                log.warning("%s", in_part)
            # What came in before it was watched has given no hint.
            self.note(folder_id, path)

    # -- what is said ------------------------------------------------------------------

    @property
    def problem(self) -> str | None:
        """What is not watched as it could be, or was lost, if so."""
        for _, problem in list(self._failed.values()):
            return problem
        for subject in list(self._watches):
            if subject[0] in self._lost:
                return (
                    f"more happened in {shown(subject[1])} at once than the system "
                    "could report; it is being looked through as a whole"
                )
            if in_part := self._in_part(subject):
                return in_part
        return None

    def watching(self) -> dict[int, Watching]:
        """How changes of each folder come to be known, those of its mirror included."""
        found: dict[int, Watching] = {}
        for subject, (_, problem) in list(self._failed.items()):
            _add(found, subject, Watching(note=problem))
        for subject, kind in list(self._untelling.items()):
            if kind:
                _add(found, subject, Watching(note=self._scanned(subject, kind)))
        for subject in list(self._watches):
            watched, refused = self._counts(subject)
            of, note = watched + refused, self._in_part(subject)
            _add(found, subject, Watching(watched=watched, of=of, note=note))
        return found

    def _every(self, folder_id: int) -> str:
        """How often a folder is looked through, whatever gives signs of it."""
        return f"{self._own_min.get(folder_id) or self._interval_min:g} min"

    def _counts(self, subject: Subject) -> tuple[int, int]:
        """How many folders are watched, and how many could not be."""
        known = self._watches.get(subject)
        emitter = self._observer.emitter(known[1]) if known and EVENTS else None
        return (emitter.watched, emitter.refused) if emitter else (1, 0)

    def _in_part(self, subject: Subject) -> str | None:
        watched, refused = self._counts(subject)
        if not refused:
            return None
        enough = max(65_536, 4 * (watched + refused))
        return (
            f"watching {watched:,} of {watched + refused:,} folders in "
            f"{shown(subject[1])}; the rest is looked through "
            f"every {self._every(subject[0])}; "
            f"raise fs.inotify.max_user_watches (it is {self._limit or 0:,}): "
            f"`sudo sysctl fs.inotify.max_user_watches={enough}`"
        )

    def _scanned(self, subject: Subject, kind: str) -> str:
        what = "its mirror" if subject[1] in self._mirrors else "it"
        return (
            f"looked through every {self._every(subject[0])}: {what} is on a network "
            f"share ({kind}), where changes made by other machines give no sign"
        )

    # -- hints -------------------------------------------------------------------------

    def note(self, folder_id: int, path: bytes | None) -> None:
        """Remember that something happened at `path`; None means anywhere."""
        with self._lock:
            self._last_event = time.monotonic()
            if not self._hints:
                self._first_event = self._last_event
            if path is None:
                self._hints[folder_id] = None
                return
            paths = self._hints.setdefault(folder_id, set())
            if paths is not None:
                paths.add(path)
                if len(paths) > MANY_FILES:
                    self._hints[folder_id] = None

    def lose(self, folder_id: int) -> None:
        """The system lost events of a folder: all of it is to be looked at."""
        self._lost.add(folder_id)
        log.warning("events were lost; folder %s is looked through", folder_id)
        self.note(folder_id, None)

    def forget(self, folder_id: int) -> None:
        """Drop the hints of a folder that is about to be looked through as a whole."""
        with self._lock:
            self._hints.pop(folder_id, None)

    def caught_up(self, folder_id: int) -> None:
        """The folder was looked through as a whole, unless more was lost meanwhile."""
        with self._lock:
            if folder_id not in self._hints:
                self._lost.discard(folder_id)

    def hints(self) -> dict[int, list[bytes] | None]:
        """What to look at, once it is quiet; None means the whole folder."""
        with self._lock:
            now = time.monotonic()
            is_quiet = now - self._last_event > QUIET_S
            if not is_quiet and now - self._first_event < LOUD_S:
                return {}
            taken, self._hints = self._hints, {}
        return {
            folder_id: sorted(paths) if paths is not None else None
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


def _add(found: dict[int, Watching], subject: Subject, one: Watching) -> None:
    """Take one place of a folder together with what is known of its others."""
    other = found.get(subject[0], Watching())
    found[subject[0]] = Watching(
        watched=other.watched + one.watched,
        of=other.of + one.of,
        note="; ".join(note for note in (other.note, one.note) if note) or None,
    )


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

    def on_overflow(self, _event: FileSystemEvent) -> None:
        self._watcher.lose(self._folder_id)
