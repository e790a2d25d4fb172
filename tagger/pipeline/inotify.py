"""Inotify: watchdog on Linux, made to tell what it keeps to itself.

It goes on in silence when the kernel's limit of watches is reached, and when the kernel
lost events. Here each emitter counts the directories it could not watch, and sends
`Overflow` when events were lost. Directories that are never looked through, the hidden
ones, take no watch. This leans on the insides of watchdog, whose version is pinned.
"""

import errno
import os
from pathlib import Path
from typing import Any

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileMovedEvent,
    FileSystemEvent,
)
from watchdog.observers.inotify import (
    InotifyEmitter,
    InotifyObserver,
    InotifyWatchGroup,
)

LIMITS = (
    Path("/proc/sys/fs/inotify/max_user_watches"),
    Path("/proc/sys/user/max_inotify_watches"),
)


class Overflow(FileSystemEvent):
    """More happened at once than the kernel could pass on."""

    event_type = "overflow"


# Of what else the kernel can tell, nothing is asked: reading photos would fill its
# queue, and a file that is written to is of interest once it is closed.
EVENTS: list[type[FileSystemEvent]] = [
    *(DirCreatedEvent, DirDeletedEvent, DirMovedEvent, FileClosedEvent),
    *(FileCreatedEvent, FileDeletedEvent, FileMovedEvent, Overflow),
]


class _Group(InotifyWatchGroup):
    """The watches on one folder and what is in it."""

    def __post_init__(self) -> None:
        self.refused = 0
        self.emitter: Emitter | None = None
        super().__post_init__()

    @property
    def watched(self) -> int:
        return len(self._active_callbacks_by_watch)

    def on_queue_overflow(self) -> None:
        self.refused = 0  # all are added anew
        super().on_queue_overflow()
        if self.emitter is not None:
            self.emitter.queue_event(Overflow(self.emitter.watch.path))

    def _add_callback(self, path: bytes) -> None:
        if b"/." in path[len(self.path) :]:
            return
        try:
            wd = self._inotify_fd.add_callback(
                path, self.event_mask, self._callback, self._id
            )
        except OSError as error:
            if path == self.path:
                raise
            # Others were removed since they were listed, or may not be read.
            self.refused += error.errno == errno.ENOSPC
            return
        self._active_callbacks_by_path[path] = wd
        self._active_callbacks_by_watch[wd] = path


class Emitter(InotifyEmitter):
    """Watches one folder. `watched` and `refused` are counts of directories."""

    _inotify: _Group | None

    def on_thread_start(self) -> None:
        group = _Group(
            self._inotify_fd,
            os.fsencode(self.watch.path),
            is_recursive=self.watch.is_recursive,
            event_mask=self.get_event_mask_from_filter(),
            follow_symlink=self.watch.follow_symlink,
        )
        group.emitter = self
        self._inotify = group

    @property
    def watched(self) -> int:
        return self._inotify.watched if self._inotify else 0

    @property
    def refused(self) -> int:
        return self._inotify.refused if self._inotify else 0


class Observer(InotifyObserver):
    """What `watch` schedules its folders with."""

    def __init__(self) -> None:
        super().__init__()
        self._emitter_class = Emitter

    def emitter(self, watch: Any) -> Emitter | None:
        found = self._emitter_for_watch.get(watch)
        return found if isinstance(found, Emitter) else None


def limit() -> int | None:
    """How many directories this user may watch."""
    found = [int(path.read_text()) for path in LIMITS if path.exists()]
    return min(found, default=None)
