"""Who has this screen open, what they may do, and doing it so that it is on record.

Streamlit runs pages in threads of its own, callbacks before the page and fragments
without it. So who acts is asked anew each time, by the visit that the guard noted when
the browser opened the screen; a role that was taken away is gone with the next click.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from tagger import acting
from tagger.acting import Person, Role
from tagger.errors import Forbidden
from tagger.web import acts, guard, runtime
from tagger.web.people import Known

_WHOSE = "whose_screen"
HERE = Person("this machine", Role.ADMIN, "screen", is_here=True)


def person() -> Person | None:
    """Who has this screen open; None outside of a screen.

    Raises `Forbidden` for whoever is let in no more.
    """
    if get_script_run_ctx(suppress_warning=True) is None:
        return None
    if not runtime.is_served():
        return HERE  # no server is there, so nobody came through one
    known, people = shown(), runtime.current().people
    someone = None if known is None else people.person(known, "screen")
    if someone is None:
        raise Forbidden("you are signed out: sign in again to go on")
    return someone


def shown() -> Known | None:
    """How they are known, by what their browser showed when it opened the screen."""
    if not runtime.is_served():
        return None
    people = runtime.current().people
    return people.visiting(st.context.headers.get(guard.VISIT))


def is_signed_in() -> bool:
    """Whether they are somebody by name, and not just at this machine."""
    known = shown()
    return known is not None and known.kind in ("signin", "named")


def leave_nothing_of_another(visitor: Person | None) -> None:
    """Forget what a screen holds of somebody else.

    Streamlit takes a browser back into the session whose id it shows, whoever it is.
    """
    name = None if visitor is None else visitor.name
    if st.session_state.setdefault(_WHOSE, name) != name:
        st.session_state.clear()
        st.session_state[_WHOSE] = name


def may(needs: Role) -> bool:
    """Whether they may do what takes this role: for what to show, and what not."""
    someone = acting.person()
    return someone is None or someone.role.includes(needs)


@contextmanager
def doing(what: str, *, needs: Role = Role.EDITOR, **detail: object) -> Iterator[None]:
    """Do within the block what only this role may; the audit log calls it `what`.

    Raises `Forbidden`, and does nothing, if they may not.
    """
    with (
        acting.as_person(acting.person()),
        acts.act(runtime.current().db, what, needs=needs, **detail),
    ):
        yield


@contextmanager
def trying(needs: Role = Role.EDITOR) -> Iterator[None]:
    """Find out within the block what a change would come to, for who may make it.

    Nothing is changed, so the log has nothing of it.
    """
    with acting.as_person(acting.person()):
        acting.demand(needs)
        with acting.on_record():
            yield


acting.find_by(person)
