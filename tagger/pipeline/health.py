"""Health: whether one server may be asked, or is out until it answers again.

A server that refuses connections, or fails its check, is out at once. One that passes
its check and yet gave no answer may have met a photo that crashes its model, or had a
bad moment: after the second failure in a row it gets one photo at a time, and is out
after a few of them. Questions that were under way together count as one, since a crash
takes its neighbours along; unless the server has never answered anything.

A server that is out is looked at again after pauses that grow, and comes back by
itself. If it passed its checks and gave no answers, it has to describe a plain picture
first: photos shall not be blamed for a server that is ill, time and again.
"""

import random
import time
from collections.abc import Callable

from tagger.errors import ModelUnavailable
from tagger.sections import Retry
from tagger.vision.retry import pause_s

# This many photos one after the other without an answer: it is the server.
FAILURES_IN_A_ROW = 3


class Health:
    """What stands with one server. Not safe for threads by itself.

    `problem` says why it is out. `is_hopeless` says that it was waited for as long as
    the settings want, or that waiting cannot help; `needs_proof` that its check alone
    proves nothing.
    """

    def __init__(
        self,
        retry: Retry,
        *,
        problem: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._retry = retry
        self._clock = clock
        self._failures = 0
        self._failed_at = clock()
        self._has_answered = self._is_back = False
        self._looks = 0
        self._look_at = 0.0
        self._rests = 0
        self._rests_until = 0.0
        self.problem: str | None = None
        self.is_hopeless = self.needs_proof = False
        if problem is not None:
            self.is_out(problem, hopeless=True)

    @property
    def is_on_trial(self) -> bool:
        """It failed more than once, or was out, and has answered nothing since."""
        return self._failures > 1 or self._is_back

    @property
    def may_be_asked(self) -> bool:
        return self.problem is None and self._clock() >= self._rests_until

    @property
    def is_due(self) -> bool:
        """Whether a server that is out is to be looked at now."""
        return self.problem is not None and self._clock() >= self._look_at

    def answered(self) -> None:
        """A photo got its answer."""
        self._failures = self._looks = self._rests = 0
        self._has_answered = True
        self.is_hopeless = self._is_back = False

    def failed(self, began: float, error: ModelUnavailable) -> bool:
        """A photo asked about since `began` got no answer, and the check is passed.

        Returns whether the photo is to blame; else the server is out from now on.
        """
        is_another = began >= self._failed_at or not self._has_answered
        if is_another or not self._failures:
            self._failures += 1
        self._failed_at = self._clock()
        if self.problem is not None:
            return False
        if self._failures < FAILURES_IN_A_ROW:
            return True
        self.needs_proof = True
        self.is_out(str(error))
        return False

    def is_out(self, problem: str, *, hopeless: bool = False) -> None:
        """Nobody is to ask it until a look finds it well."""
        if self.problem is None:
            self._plan_look()
        self.problem = problem
        self.is_hopeless = self.is_hopeless or hopeless

    def looked(self, problem: str | None) -> None:
        """The server was looked at; None: it is well."""
        self.problem = problem
        if problem is None:
            # One more try with a photo; if that fails, few more.
            self._is_back, self.needs_proof = True, False
            self._failures = 1
            self._failed_at = self._clock()
            return
        self._plan_look()

    def is_busy(self, error: ModelUnavailable) -> None:
        """It took not even one photo, for now. After some rests it is out."""
        self._rests += 1
        pause = pause_s(self._rests, self._retry, error.retry_after_s, random.random())
        self._rests_until = self._clock() + pause
        if self._rests >= self._retry.attempts:
            self.is_out(str(error), hopeless=True)
            self._look_at = max(self._look_at, self._rests_until)

    def _plan_look(self) -> None:
        self._looks += 1
        pause = pause_s(self._looks, self._retry, None, random.random())
        self._look_at = self._clock() + pause
        if self._looks >= self._retry.attempts:
            self.is_hopeless = True
