"""Links: questions that were handed out as addresses of files.

A link can only be asked for with GET, which any page on the internet can make a browser
do. So its address says nothing of the question but a token that cannot be guessed, and
only what a person asked on a page of ours can be had by it.
"""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

_KEPT = 200

Question = TypeVar("Question", bound=Hashable)


class Links(Generic[Question]):
    """The questions last handed out; kept as long as the app runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._texts: OrderedDict[str, Question] = OrderedDict()

    def token(self, text: Question) -> str:
        """The token of a question, the same for the same."""
        with self._lock:
            for token, known in self._texts.items():
                if known == text:
                    self._texts.move_to_end(token)
                    return token
            token = secrets.token_urlsafe(16)
            self._texts[token] = text
            while len(self._texts) > _KEPT:
                self._texts.popitem(last=False)
            return token

    def text(self, token: str) -> Question | None:
        """The question of a token; None if it is not known any more."""
        with self._lock:
            return self._texts.get(token)
