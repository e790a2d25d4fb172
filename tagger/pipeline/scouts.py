"""Scouts: the thread that keeps an eye on the folders while photos are worked on."""

import logging
import threading

from tagger.errors import DataFull, shown
from tagger.pipeline.watch import Watcher
from tagger.pipeline.workshop import Workshop
from tagger.records import Folder, Watching, WriteMode
from tagger.tracking import folders

log = logging.getLogger(__name__)

TICK_S = 0.2
FULL_S = 5.0


class Scouts:
    """Looks through folders when it is time, and where the system hints at changes.

    `alone` says that no other tagger is at work.
    """

    def __init__(self, workshop: Workshop, stop: threading.Event) -> None:
        self._db = workshop.db
        self._scanner = workshop.scanner
        self._settings = workshop.config.scan
        self._stop = stop
        self._active: tuple[Folder, ...] = ()
        self._why_not = "scan.watch is never"
        self._watcher = self._make_watcher()
        self.alone = False

    def _make_watcher(self) -> Watcher | None:
        if self._settings.watch == "never":
            return None
        try:
            return Watcher(
                interval_min=self._settings.interval_min,
                shares=self._settings.watch == "always",
            )
        except OSError as error:  # other programs have all there are
            self._why_not = (
                f"nothing can be watched ({error.strerror}: see the limit "
                "fs.inotify.max_user_instances)"
            )
            log.warning("%s", self._why_not)
            return None

    @property
    def problem(self) -> str | None:
        """What is not watched as it could be, or was lost, if so."""
        return self._watcher.problem if self._watcher else None

    def watching(self) -> dict[int, Watching]:
        """How changes of each folder come to be known."""
        if self._watcher:
            return self._watcher.watching()
        common = self._settings.interval_min
        return {
            folder.id: Watching(
                note=f"looked through every {folder.scan_interval_min or common:g} "
                f"min: {self._why_not}"
            )
            for folder in self._active
        }

    def work(self) -> None:
        """Until told to stop; a thread's work, so that a long scan holds up nobody."""
        if self._watcher:
            self._watcher.start()
        try:
            while not self._stop.wait(TICK_S):
                try:
                    self._round()
                except DataFull as error:
                    log.error("%s", error)
                    self._stop.wait(FULL_S)
        finally:
            if self._watcher:
                self._watcher.stop()

    def _round(self) -> None:
        active = [folder for folder in folders.every(self._db) if folder.active]
        self._active = tuple(active)
        if self._watcher:
            # Watched first and looked through then: nothing can come in between.
            self._watcher.follow(active, self._mirrors(active))
        for folder in folders.due(
            self._db, interval_s=self._settings.interval_min * 60
        ):
            if self._stop.is_set():
                return
            self._scan(folder)
        if self._watcher:
            self._take_hints(self._watcher, {folder.id: folder for folder in active})

    def _mirrors(self, active: list[Folder]) -> list[tuple[int, bytes]]:
        mirrors = self._scanner.mirrors
        return [
            (folder.id, mirrors.tree(folder))
            for folder in active
            if folder.write_mode is WriteMode.MIRROR
        ]

    def _scan(self, folder: Folder) -> None:
        if self._watcher:
            self._watcher.forget(folder.id)
        outcome = self._scanner.scan(folder, alone=self.alone)
        if self._watcher:
            self._watcher.caught_up(folder.id)
        if outcome is not None:
            level = logging.INFO if outcome.is_news else logging.DEBUG
            log.log(level, "looked through %s: %s", shown(folder.path), outcome)

    def _take_hints(self, watcher: Watcher, active: dict[int, Folder]) -> None:
        for folder_id, paths in watcher.hints().items():
            folder = active.get(folder_id)
            if folder is None:
                continue
            if paths is None or folder.path in paths:
                self._scan(folder)
            else:
                self._scanner.look_at(folder, paths)
