"""The conversation about one picture: ask, read, and ask again naming the fault.

Shared by every protocol. A backend brings one function that sends a list of turns and
returns the model's reply; what is said, how often and why is decided here.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from tagger.errors import UnusableAnswer
from tagger.records import Answer, Tag
from tagger.vision.answer import Unfit, Words, parse, shortened
from tagger.vision.prompt import Prompt, sendable

ATTEMPTS = 3
_QUOTED_BACK = 4_000  # characters of a bad answer that are shown to the model again


@dataclass(frozen=True, slots=True)
class Turn:
    """One message. The picture goes with the first one of the user."""

    role: Literal["user", "assistant"]
    text: str
    with_picture: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. `unread` says why there is no content that could be read."""

    content: str
    cut_off: bool = False
    unread: str = ""
    tokens_in: int | None = None
    tokens_out: int | None = None


@dataclass(frozen=True, slots=True)
class Asker:
    """Who is asked, as it will stand in the answer."""

    backend: str
    model: str
    server: str
    prompt: Prompt
    max_tokens: int

    def ask(self, send: Callable[[Sequence[Turn]], Reply], path: bytes) -> Answer:
        """The first answer that fits; raises `UnusableAnswer` after three."""
        started = time.monotonic()
        turns = [Turn("user", self.prompt.text, with_picture=True)]
        replies: list[Reply] = []
        fault = ""
        for _ in range(ATTEMPTS):
            reply = send(turns)
            replies.append(reply)
            try:
                words = self._read(reply)
            except Unfit as error:
                fault = str(error)
                turns = self._again(reply, fault)
            else:
                return self._answer(words, replies, time.monotonic() - started)
        raise UnusableAnswer(
            path, f"{self.model} gave no usable answer in {ATTEMPTS} attempts: {fault}"
        )

    def _read(self, reply: Reply) -> Words:
        if reply.unread:
            raise Unfit(reply.unread)
        try:
            return parse(reply.content, tags_max=self.prompt.tags_max)
        except Unfit as error:
            if not reply.cut_off:
                raise
            raise Unfit(
                f"it was cut off at max_tokens = {self.max_tokens}; be shorter"
            ) from error

    def _again(self, reply: Reply, fault: str) -> list[Turn]:
        """The question once more. Roles alternate: many chat templates insist on it."""
        ask = f"Your answer cannot be used: {fault}. "
        ask += "Answer again with one JSON object that has the agreed properties."
        if not reply.content:
            return [Turn("user", f"{self.prompt.text}\n{ask}", with_picture=True)]
        return [
            Turn("user", self.prompt.text, with_picture=True),
            Turn("assistant", shortened(sendable(reply.content), most=_QUOTED_BACK)),
            Turn("user", ask),
        ]

    def _answer(self, words: Words, replies: list[Reply], seconds: float) -> Answer:
        return Answer(
            description=words.description,
            tags=tuple(Tag(name) for name in words.tags),
            text=words.text,
            backend=self.backend,
            model=self.model,
            prompt_version=self.prompt.version,
            server=self.server,
            seconds=seconds,
            tokens_in=_total([reply.tokens_in for reply in replies]),
            tokens_out=_total([reply.tokens_out for reply in replies]),
        )


def _total(counts: Sequence[int | None]) -> int | None:
    """All attempts together; None when no reply told."""
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
