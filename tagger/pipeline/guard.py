"""Guard: what goes wrong with one photo is settled for this photo alone."""

import logging
import threading
from collections.abc import Callable

from tagger.errors import (
    DataFull,
    ExiftoolUnavailable,
    ImageError,
    ModelUnavailable,
    shown,
)
from tagger.pipeline import failing
from tagger.pipeline.held import Held
from tagger.pipeline.room import Room
from tagger.pipeline.stages import Item, Stages
from tagger.tracking import jobs

log = logging.getLogger(__name__)

TICK_S = 0.1

Step = Callable[[Item], None]


class Guard:
    """Does steps for the threads of one flow; `stop` ends its patience."""

    def __init__(
        self, stages: Stages, held: Held, room: Room, *, stop: threading.Event
    ) -> None:
        self._stages = stages
        self._held = held
        self._room = room
        self._stop = stop

    @property
    def lacks_room(self) -> bool:
        """Whether the disk is full, so that nothing can be put on record."""
        return self._room.problem is not None

    def __call__(self, item: Item, step: Step) -> None:
        """Do one step, and record what its error means for the photo.

        While the disk is full the photo waits here, and keeps what it has.
        """
        while True:
            try:
                self._attempt(item, step)
                return
            except jobs.LeaseLost:
                log.info("%s: no longer this tagger's to do", shown(item.job.path))
                self._held.let_go(item)
                return
            except DataFull as error:
                self._room.is_out(error)
            while self.lacks_room:
                if self._stop.wait(TICK_S):
                    return
                # Also here: the thread that else looks may be the one that waits.
                self._room.is_back()

    def _attempt(self, item: Item, step: Step) -> None:
        try:
            step(item)
        except (ImageError, ModelUnavailable, ExiftoolUnavailable) as error:
            failing.record(self._stages, item, error)
            self._held.let_go(item)
