"""Pace: how many photos one server is asked about at a time.

A fixed number is kept to, unless the server says that it is too many. `auto` looks for
the number that brings the most answers a second, by trying: up while it pays, then down
while it costs nothing, and again after a while, since whoever shares the server may
come and go. Only times in which photos were always waiting count: a server that lacks
work tells nothing about itself.
"""

import time
from collections.abc import Callable
from typing import Literal

AUTO_MOST = 16
# One more place is worth its memory at the server if it brings this much.
PAYS = 1.06
# What may be lost without counting as a loss: measurements are never quite equal.
COSTS = 0.95
# Answers to measure a number by: so many for each place.
WINDOW_ANSWERS = 4
LEAST_ANSWERS = 8
LEAST_WINDOW_S = 1.0
# How many measurements a number that was found is kept for.
KEPT_WINDOWS = 12
# After a refusal, one more place is tried again after this time.
FORGIVEN_S = 30.0


class Pace:
    """The number of places, as it stands. Not safe for threads by itself."""

    def __init__(
        self,
        parallel: int | Literal["auto"],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._search = Search(AUTO_MOST) if parallel == "auto" else None
        self._wanted = 1 if parallel == "auto" else parallel
        self.most = AUTO_MOST if parallel == "auto" else parallel
        self._ceiling = self.most
        self._refused_at = 0.0
        self._begin(self.places)

    @property
    def places(self) -> int:
        """How many photos the server may have now."""
        return min(self._wanted, self._ceiling)

    def answered(self) -> None:
        """One more answer came."""
        now = self._clock()
        if self._ceiling < self.most and now - self._refused_at > FORGIVEN_S:
            self._ceiling += 1
            self._refused_at = now
        if self._search is None:
            return
        if self._left_over > 0:  # asked before the number was changed
            self._left_over -= 1
            self._began = now
            return
        self._answers += 1
        spent_s = now - self._began
        enough = max(LEAST_ANSWERS, WINDOW_ANSWERS * self.places)
        if self._answers < enough or spent_s < LEAST_WINDOW_S:
            return
        if not self._was_idle:
            self._wanted = self._search.next(self._answers / spent_s, self._ceiling)
        self._begin(self.places)

    def was_idle(self) -> None:
        """A place was free and no photo there: what is measured now is worthless."""
        self._was_idle = True

    def refused(self, in_flight: int) -> None:
        """The server took `in_flight` photos, and not one more."""
        self._ceiling = max(1, min(self._ceiling, in_flight))
        self._refused_at = self._clock()
        if self._search is not None:
            self._wanted = self._search.refused(self._ceiling)
        self._begin(self.places)

    def _begin(self, left_over: int) -> None:
        """Measure anew, once what is under way is over."""
        self._left_over = left_over
        self._answers = 0
        self._began = self._clock()
        self._was_idle = False


class Search:
    """Climbs to the number with the best rate; pure, told one measurement at a time."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._best, self._rate = 1, 0.0  # the number kept, and what it brings
        self._tried = 1
        self._way: Literal["double", "up", "down", "keep"] = "double"
        self._kept = 0

    def next(self, rate: float, most: int) -> int:
        """`rate` was measured at the number tried; which one to try now, up to `most`.

        A number that is kept is measured as well, so that others are held against what
        it brings now.
        """
        most = min(most, self._most)
        if self._tried == self._best:
            self._rate = rate
        if self._way == "keep":
            self._kept += 1
            if self._kept >= KEPT_WINDOWS:
                self._way = "up"
                return self._try(self._best + 1, most)
            return self._try(self._best, most)
        if self._tried == self._best:
            return self._step(most)
        if self._tried > self._best:
            return self._judge(rate, rate > self._rate * PAYS, most)
        return self._judge(rate, rate >= self._rate * COSTS, most)

    def refused(self, most: int) -> int:
        """The server takes no more than `most`: keep to that for now."""
        self._best = min(self._best, most)
        self._way, self._kept = "keep", 0
        return self._try(self._best, most)

    def _judge(self, rate: float, is_better: bool, most: int) -> int:
        """Keep the number tried, or the one before; then the next step."""
        if is_better:
            # Many small losses on the way down would add up unseen.
            self._best, self._rate = self._tried, max(self._rate, rate)
            return self._step(most)
        if self._way in ("double", "up"):
            self._way = "down"
            return self._try(self._best - 1, most)
        return self._keep(most)

    def _step(self, most: int) -> int:
        if self._way == "double" and self._best < most:
            return self._try(self._best * 2, most)
        if self._way == "up" and self._best < most:
            return self._try(self._best + 1, most)
        if self._best > 1:
            self._way = "down"
            return self._try(self._best - 1, most)
        return self._keep(most)

    def _keep(self, most: int) -> int:
        self._way, self._kept = "keep", 0
        return self._try(self._best, most)

    def _try(self, number: int, most: int) -> int:
        self._tried = max(1, min(number, most))
        return self._tried
