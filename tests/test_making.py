"""Several exports share the processor, and leave some of it to others."""

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack

import pytest

from tagger.catalogue.making import Making

PARTS = 12


def most_at_once(making: Making, *, lanes: int, wanted: int) -> int:
    """How many parts were ever being made at once, where that many met."""
    lock, meet = threading.Lock(), threading.Barrier(wanted)
    now = most = 0

    def lane() -> None:
        nonlocal now, most
        for _ in range(PARTS):
            with making.part():
                with lock:
                    now += 1
                    most = max(most, now)
                meet.wait(timeout=30)
                with lock:
                    now -= 1

    run([lane] * lanes)
    return most


def run(jobs: Sequence[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()


@pytest.mark.parametrize(
    ("cores", "exports", "wanted"),
    [(1, 1, 1), (2, 1, 2), (4, 1, 4), (1, 3, 1), (2, 2, 1), (2, 5, 1), (4, 2, 2)],
)
def test_one_export_has_every_core_and_several_share_half_of_them(
    cores: int, exports: int, wanted: int
) -> None:
    making = Making(cores)
    with ExitStack() as going_on:
        for _ in range(exports):
            going_on.enter_context(making.export())
        assert making.most == wanted
        assert most_at_once(making, lanes=wanted * 2, wanted=wanted) == wanted
    assert making.most == cores


def test_an_export_whose_reader_is_slow_keeps_no_other_waiting() -> None:
    making = Making(2)
    with making.export(), making.export():
        assert most_at_once(making, lanes=1, wanted=1) == 1


def test_who_waits_goes_on_when_the_others_are_done() -> None:
    making, waited = Making(2), threading.Event()

    def other() -> None:
        with making.part():
            waited.set()

    with making.export():
        with making.export(), making.part():
            thread = threading.Thread(target=other)
            thread.start()
            assert not waited.wait(0.2)
        assert waited.wait(30)
        thread.join(30)
