"""How many photos a server is asked about at a time, found out by trying."""

import heapq
import random
from collections.abc import Callable

import pytest

from tagger.pipeline.pace import AUTO_MOST, Pace

Speed = Callable[[int], float]


class Simulated:
    """A server whose answers a second depend on how many photos it has at a time."""

    def __init__(self, speed: Speed, *, slots: int = 99, seed: int = 1) -> None:
        self.now = 0.0
        self.refused = 0
        self.speed = speed
        self._slots = slots
        self._chance = random.Random(seed)
        self._ends: list[float] = []

    def work(self, pace: Pace, seconds: float) -> float:
        """Keep all places taken for a while; the answers a second that brings."""
        ends, answers = self.now + seconds, 0
        while self.now < ends:
            while len(self._ends) < pace.places:
                if len(self._ends) >= self._slots:
                    self.refused += 1
                    pace.refused(len(self._ends))
                    continue
                busy = len(self._ends) + 1
                takes = busy / self.speed(busy) * self._chance.gauss(1, 0.1)
                heapq.heappush(self._ends, self.now + max(0.01, takes))
            self.now = heapq.heappop(self._ends)
            answers += 1
            pace.answered()
        return answers / seconds


def auto(server: Simulated) -> Pace:
    return Pace("auto", clock=lambda: server.now)


@pytest.mark.parametrize("slots", [1, 2, 4, 6, 16])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_number_found_brings_what_the_server_can_give(
    slots: int, seed: int
) -> None:
    server = Simulated(lambda busy: min(busy, slots) / 0.5, seed=seed)
    pace = auto(server)
    server.work(pace, 300)
    assert server.work(pace, 600) > 0.9 * slots / 0.5
    assert slots * 0.7 - 1 <= pace.places <= slots * 1.5 + 1


def test_more_than_serves_the_server_is_given_up_again() -> None:
    server = Simulated(lambda busy: busy if busy <= 3 else 3 - (busy - 3) * 0.2)
    pace = auto(server)
    server.work(pace, 300)
    assert server.work(pace, 300) > 2.6
    assert pace.places <= 5


def test_a_server_that_refuses_is_asked_less_and_seldom_tried_again() -> None:
    server = Simulated(float, slots=5)
    pace = auto(server)
    server.work(pace, 120)
    server.refused = 0
    assert server.work(pace, 600) > 0.9 * 5
    assert server.refused <= 600 / 30 + 1


def test_a_server_that_becomes_faster_gets_more() -> None:
    server = Simulated(lambda busy: min(busy, 2) / 0.5)
    pace = auto(server)
    server.work(pace, 300)
    server.speed = lambda busy: min(busy, 8) / 0.5
    server.work(pace, 900)
    assert pace.places >= 6


def test_it_never_leaves_its_bounds() -> None:
    server = Simulated(lambda busy: busy * 2.0)
    pace = auto(server)
    for _ in range(100):
        server.work(pace, 10)
        assert 1 <= pace.places <= AUTO_MOST == pace.most
    assert pace.places >= AUTO_MOST - 1


def test_times_without_work_teach_nothing() -> None:
    server = Simulated(lambda busy: min(busy, 4) / 0.5)
    pace = auto(server)
    for _ in range(200):
        pace.was_idle()
        server.work(pace, 2)
    assert pace.places == 1


def test_a_number_that_was_set_is_kept_but_for_a_while_after_a_refusal() -> None:
    server = Simulated(float)
    pace = Pace(4, clock=lambda: server.now)
    server.work(pace, 60)
    assert pace.places == pace.most == 4
    pace.refused(2)
    assert pace.places == 2
    server.work(pace, 31)
    assert pace.places == 3
    server.work(pace, 62)
    assert pace.places == 4
