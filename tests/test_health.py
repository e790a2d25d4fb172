"""Whether a server is out, and when it is looked at again."""

import pytest

from tagger.errors import ModelBusy, ModelUnavailable
from tagger.pipeline.health import FAILURES_IN_A_ROW, Health
from tagger.sections import Retry

RETRY = Retry(attempts=4, wait_base_s=5, wait_max_s=30)
FAILS = ModelUnavailable("it failed (HTTP 500)")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def until_due(self, health: Health) -> float:
        """How long until the server is to be looked at."""
        began = self.now
        while not health.is_due:
            self.now += 0.01
            assert self.now - began < 60
        return self.now - began


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    return Health(RETRY, clock=clock)


def fail(health: Health, clock: Clock) -> bool:
    """A photo is asked about and gets no answer: is it the photo's fault?"""
    began = clock.now
    clock.now += 1
    return health.failed(began, FAILS)


def test_a_few_photos_in_a_row_without_an_answer_are_the_servers_fault(
    health: Health, clock: Clock
) -> None:
    health.answered()
    verdicts = [fail(health, clock) for _ in range(FAILURES_IN_A_ROW)]

    assert verdicts == [True, True, False]
    assert health.problem == str(FAILS)


def test_an_answer_between_failures_proves_the_server(
    health: Health, clock: Clock
) -> None:
    for _ in range(20):
        assert fail(health, clock)
        assert not health.is_on_trial  # that may be chance
        assert fail(health, clock)
        assert health.is_on_trial
        health.answered()
        assert not health.is_on_trial
    assert health.problem is None


def test_a_crash_that_takes_neighbours_along_counts_once(
    health: Health, clock: Clock
) -> None:
    health.answered()
    began = clock.now
    clock.now += 1
    assert all(health.failed(began, FAILS) for _ in range(16))
    assert health.problem is None


def test_a_server_that_never_answered_gets_no_such_benefit(
    health: Health, clock: Clock
) -> None:
    began = clock.now
    verdicts = [health.failed(began, FAILS) for _ in range(4)]

    assert verdicts == [True, True, False, False]
    assert health.problem is not None


def test_a_server_that_is_out_is_looked_at_with_growing_pauses(
    health: Health, clock: Clock
) -> None:
    health.is_out("gone")
    pauses = []
    for _ in range(6):
        pauses.append(clock.until_due(health))
        health.looked("still gone")

    for pause, longest in zip(pauses, [5, 10, 20, 30, 30, 30], strict=True):
        assert longest / 2 - 0.1 <= pause <= longest + 0.1


def test_waiting_is_hopeless_after_as_many_tries_as_are_set(
    health: Health, clock: Clock
) -> None:
    health.is_out("gone")
    tries = 1
    while not health.is_hopeless:
        clock.until_due(health)
        health.looked("still gone")
        tries += 1

    assert tries == RETRY.attempts


def test_a_server_that_comes_back_is_tried_with_one_photo_first(
    health: Health, clock: Clock
) -> None:
    health.is_out("gone")
    clock.until_due(health)
    health.looked(None)

    assert health.may_be_asked
    assert health.is_on_trial
    health.answered()
    assert not health.is_on_trial


def test_a_check_that_is_passed_and_photos_that_fail_do_not_go_on_for_ever(
    health: Health, clock: Clock
) -> None:
    """`tag` must come to an end at a server that is there and never answers."""
    for _ in range(RETRY.attempts):
        while health.problem is None:
            fail(health, clock)
        if health.is_hopeless:
            return
        clock.until_due(health)
        health.looked(None)
    raise AssertionError("it is hoped for still")


def test_a_server_without_room_rests_and_is_out_after_some_rests(
    health: Health, clock: Clock
) -> None:
    for _ in range(RETRY.attempts - 1):
        health.is_busy(ModelBusy("busy"))
        assert health.problem is None
        assert not health.may_be_asked
        clock.now += 31
        assert health.may_be_asked
    health.is_busy(ModelBusy("busy"))
    assert health.problem == "busy"
    assert health.is_hopeless


def test_a_rest_is_as_long_as_the_server_asks_for(health: Health, clock: Clock) -> None:
    health.is_busy(ModelBusy("busy", retry_after_s=90.0))
    clock.now += 89
    assert not health.may_be_asked
    clock.now += 2
    assert health.may_be_asked


def test_what_is_known_from_the_start_is_kept_in_mind(clock: Clock) -> None:
    health = Health(RETRY, problem="it has no such model", clock=clock)
    assert health.is_hopeless
    assert not health.may_be_asked
    assert clock.until_due(health) <= RETRY.wait_base_s + 0.1
