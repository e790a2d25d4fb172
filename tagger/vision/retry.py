"""How long to wait before a server that failed is asked again."""

from tagger.sections import Retry

_JITTER = 0.5  # a pause is this part to the whole of its length, by chance


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
