"""Acting: for whom something is done, what they may do, and whether it goes on record.

Whatever is done for a person is an act: it was checked against their role, and stands
in the audit log. What writes asks `refuse_unrecorded` first, so a way to change
something that was forgotten by whoever checks roles is a refusal and not a hole. Where
no person is known the program itself acts, as the tagger does, or who runs a command.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum

from tagger.errors import Forbidden


class Role(StrEnum):
    """What a person may do; each role may do all that those before it may."""

    VIEWER = "viewer"
    EDITOR = "editor"
    ADMIN = "admin"

    def includes(self, other: "Role") -> bool:
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(other)


ABOUT = {
    Role.VIEWER: "looks, searches and exports",
    Role.EDITOR: "also changes tags and descriptions, reviews, and sets photos to work",
    Role.ADMIN: "also manages folders, settings and people",
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at work. `way` is how they came: "screen", "api", "command line".

    `is_here` says that they sit at the machine itself, where nobody signs in.
    """

    name: str
    role: Role
    way: str
    is_here: bool = False


_person: ContextVar[Person | None] = ContextVar("person", default=None)
_recorded: ContextVar[bool] = ContextVar("recorded", default=False)
_finders: list[Callable[[], Person | None]] = []


def find_by(finder: Callable[[], Person | None]) -> None:
    """Also ask this function who acts, where nothing else says so.

    Streamlit runs a page in threads of its own, and parts of it without the page's
    frame, so that nothing of ours could have said it there.
    """
    if finder not in _finders:
        _finders.append(finder)


def person() -> Person | None:
    """For whom this is done; None: nobody but the program itself."""
    known = _person.get()
    if known is not None:
        return known
    return next((found for ask in _finders if (found := ask()) is not None), None)


@contextmanager
def as_person(someone: Person | None) -> Iterator[None]:
    """What happens within the block is done for this person."""
    token = _person.set(someone)
    try:
        yield
    finally:
        _person.reset(token)


@contextmanager
def on_record() -> Iterator[None]:
    """What happens within the block was allowed, and is in the audit log."""
    token = _recorded.set(True)
    try:
        yield
    finally:
        _recorded.reset(token)


def put_on_record() -> None:
    """From here on, until the request is answered, what is done is in the log."""
    _recorded.set(True)


@contextmanager
def off_record() -> Iterator[None]:
    """Nothing is in the log yet of what happens within the block."""
    token = _recorded.set(False)
    try:
        yield
    finally:
        _recorded.reset(token)


def demand(needs: Role) -> None:
    """Raise `Forbidden` unless whoever acts has this role, or the program acts."""
    someone = person()
    if someone is not None and not someone.role.includes(needs):
        raise Forbidden(
            f"{someone.name} is {_article(someone.role)} {someone.role}, and this "
            f"needs {_article(needs)} {needs}; an admin can change that under People"
        )


def is_elsewhere() -> bool:
    """Whether somebody asks who is not at the machine itself, but in a browser."""
    someone = person()
    return someone is not None and not someone.is_here


def refuse_unrecorded() -> None:
    """Raise `Forbidden` where a person would change something outside an act."""
    if not _recorded.get() and (someone := person()) is not None:
        raise Forbidden(
            f"nothing was changed: what {someone.name} asked for is not among the "
            "things that can be asked for here"
        )


def _article(role: Role) -> str:
    return "a" if role is Role.VIEWER else "an"
