"""Asking: photos at the desk get an answer from a server, or go on to another one."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import NoReturn

from tagger.errors import ModelBusy, ModelLost, ModelUnavailable, ServerFails
from tagger.pipeline import failing
from tagger.pipeline.desk import Desk
from tagger.pipeline.endings import ENDINGS, Endings, ServerEnds
from tagger.pipeline.guard import TICK_S, Guard
from tagger.pipeline.held import Held
from tagger.pipeline.inflight import InFlight
from tagger.pipeline.servers import Ask, Slots
from tagger.pipeline.stages import Item, Stages
from tagger.records import Answer
from tagger.tracking import bindings, returns

WAIT_S = 0.5


class _HandedOn(Exception):
    """The photo is at the desk again, and is still the one that leads its picture."""


class Asking:
    """What the threads for places at servers do.

    `pass_on` takes photos that have their answer; `may_go` says of a photo that is next
    whether it may still be asked about.
    """

    def __init__(
        self,
        stages: Stages,
        desk: Desk,
        held: Held,
        guard: Guard,
        *,
        stop: threading.Event,
        pass_on: Callable[[Item], None],
        may_go: Callable[[Item], bool],
    ) -> None:
        self._stages = stages
        self._desk = desk
        self._held = held
        self._guard = guard
        self._stop = stop
        self._pass_on = pass_on
        self._may_go = may_go
        self._pictures = InFlight()
        self._endings = Endings()

    def serve(self, server: Slots) -> None:
        """One place at one server: take what is next, ask, record.

        Nothing is asked whose answer could not be kept.
        """
        while not self._stop.is_set():
            if self._guard.lacks_room:
                self._stop.wait(TICK_S)
            elif taken := self._desk.take(server, WAIT_S):
                item, ask = taken
                if self._guard.lacks_room:
                    server.leave_place(ask)
                    self._put_again(item)
                else:
                    self._ask_leading(server, item, ask)

    def ask_or_pass(self, item: Item) -> None:
        """A photo was looked at: let it wait for an answer if it has none."""
        is_known = self._stages.use_known(item)
        item.waits_on = item.job.is_edit and not is_known
        if is_known or item.waits_on:
            self._pass_on(item)
        elif self._pictures.lead(item):
            assert item.identity is not None
            item.endings = self._endings.of(item.identity)
            self._desk.put(item)

    def give_back_waiting(self, which: Callable[[Item], bool]) -> None:
        """Leave these photos to a tagger that may have a server, or to a later hour."""
        while waiting := self._desk.take_all(which):
            for item in waiting:
                self._give_back_leading(item)

    def give_back(self, item: Item) -> None:
        """The queue has the photo again."""
        returns.put_back(self._stages.db, item.job, server_failures=item.failures)
        self._held.let_go(item)

    def _give_back_leading(self, item: Item) -> None:
        followers = self._pictures.settle(item)
        self._guard(item, self.give_back)
        for follower in followers:
            # It may be of another folder, whose servers are there, or wanted now.
            self._guard(follower, self.ask_or_pass)

    def _ask_leading(self, server: Slots, item: Item, ask: Ask) -> None:
        """Ask for one photo, then let those with the same picture go on as well."""
        if not self._may_go(item):
            server.leave_place(ask)
            self._give_back_leading(item)
            return
        try:
            self._guard(item, lambda i: self._ask(server, i, ask))
        except _HandedOn:
            return
        finally:
            server.leave_place(ask)
        for follower in self._pictures.settle(item):
            # If this question failed, the first of them leads the next one.
            self._guard(follower, self.ask_or_pass)

    def _ask(self, server: Slots, item: Item, ask: Ask) -> None:
        # An answer that could not be recorded, for want of room, is not asked again;
        # nor is one that came in since the photo was looked at.
        if item.answer is None and self._stages.use_known(item):
            self._pass_on(item)
            return
        if item.answer is None:
            self._check_allowed(server, item)
            item.answer = self._answer(server, item, ask)
        self._stages.answered(item, item.answer)
        self._pass_on(item)

    def _check_allowed(self, server: Slots, item: Item) -> None:
        """Right before a photo leaves: its folder may have been bound meanwhile."""
        names = bindings.allowed(self._stages.db, item.job.path)
        names = bindings.narrowed(names, item.job.asked_with)
        if names == item.servers:
            return
        self._held.regroup(item, names)
        if not server.may_have(item):
            self._put_again(item)
            raise _HandedOn

    def _answer(self, server: Slots, item: Item, ask: Ask) -> Answer:
        assert item.picture is not None
        assert item.identity is not None
        item.waited()
        try:
            with item.timed("asking_s"):
                answer = server.backend.describe(item.picture, item.job.path)
        except ModelUnavailable as error:
            if not self._stop.is_set():
                self._hand_on(server, item, ask, error)
            raise
        server.succeeded()
        self._endings.forget(item.identity)
        server.leave_place(ask)  # the next photo need not wait for the disk
        item.cost = replace(
            item.cost,
            server=server.backend.url,
            model=server.backend.model,
            asked_at=time.time(),
            tokens_in=answer.tokens_in,
            tokens_out=answer.tokens_out,
        )
        return answer

    def _hand_on(
        self, server: Slots, item: Item, ask: Ask, error: ModelUnavailable
    ) -> None:
        """A photo got no answer: give it to another server at once, if there is one.

        Raises `ServerFails` if it is its own fault and nobody else is to be asked.
        """
        if isinstance(error, ModelBusy):
            server.failed(ask, error)
            self._put_again(item)
            raise _HandedOn
        item.failed_at.add(server.name)
        may_be_its_end = isinstance(error, ModelLost) and item.endings + 1 >= ENDINGS
        goes_on = (
            failing.may_fail_again(item)
            and not may_be_its_end
            and self._desk.has_another(item)
        )
        item.failures += 1  # until it is known whose fault it was
        if goes_on:
            self._put_again(item)
        is_its_fault = server.failed(ask, error)
        if not is_its_fault:
            item.failures -= 1
        if isinstance(error, ModelLost) and not is_its_fault:
            assert item.identity is not None
            item.endings = self._endings.saw(item.identity)
        if goes_on:
            raise _HandedOn
        if may_be_its_end and ask.alone and not is_its_fault:
            self._end(item, error)
        if is_its_fault:
            raise ServerFails(item.job.path, str(error)) from error

    def _end(self, item: Item, error: ModelUnavailable) -> NoReturn:
        """Servers went away too often while they were asked, at last for it alone."""
        assert item.identity is not None
        self._endings.forget(item.identity)
        raise ServerEnds(
            item.job.path,
            f"the model server went away each time it was asked about it ({error})",
        ) from error

    def _put_again(self, item: Item) -> None:
        item.ready_at = time.perf_counter()
        self._desk.put(item, first=True)
