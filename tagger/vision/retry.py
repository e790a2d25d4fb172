"""Ask again, with growing pauses, while a server may come back."""

import random
import threading

from tagger.config import Retry
from tagger.errors import ModelMissing, ModelUnavailable
from tagger.imaging.picture import Picture
from tagger.records import Answer
from tagger.vision.protocol import Backend

_JITTER = 0.5  # a pause is this part to the whole of its length, by chance


def describe_with_retry(
    backend: Backend,
    picture: Picture,
    path: bytes,
    *,
    retry: Retry,
    stop: threading.Event,
) -> Answer:
    """`backend.describe`, asked up to `retry.attempts` times.

    Only `ModelUnavailable` that may pass is waited for; it is raised after the last
    attempt, or at once when `stop` is set, which also ends a pause that has begun.
    """
    attempt = 1
    while True:
        try:
            return backend.describe(picture, path)
        except ModelMissing:
            raise
        except ModelUnavailable as error:
            if not error.may_pass or attempt >= retry.attempts:
                raise
            pause = pause_s(attempt, retry, error.retry_after_s, random.random())
            if stop.wait(pause):
                raise
        attempt += 1


def pause_s(
    attempt: int, retry: Retry, retry_after_s: float | None, chance: float
) -> float:
    """How long to wait after failed attempt number `attempt` (from 1).

    Doubles from `wait_base_s` up to `wait_max_s`; `chance` (0 to 1) spreads it, so that
    many waiting photos do not come back all at once. Never shorter than the server
    asked for.
    """
    doublings = min(attempt - 1, 32)  # enough for any wait_max_s
    longest = min(retry.wait_max_s, retry.wait_base_s * 2.0**doublings)
    return max(longest * (1 - _JITTER * chance), retry_after_s or 0.0)
