"""Search box: one line in the query language, completed while it is typed.

The address holds the query, so that a link shows the same search. Typing puts it there
after a short rest; what a click elsewhere puts there appears in the box.
"""

import streamlit as st

from pages.parts.component import component
from pages.parts.wording import plain
from tagger.errors import QueryError

COMPLETE_URL = "/api/complete"
ADDRESS = "q"
_KEY = "search_box"

_box = component(
    "searchbox",
    '<div class="searchbox" data-testid="searchbox">'
    '<input class="line" type="search" role="combobox" autocomplete="off" '
    'spellcheck="false" aria-autocomplete="list" aria-expanded="false" '
    'aria-controls="options" maxlength="1000">'
    '<ul class="options" id="options" role="listbox" hidden></ul></div>',
    "options",
)


def show(*, label: str, placeholder: str) -> str:
    """The box; answers the query in force."""
    data = {
        "query": asked(),
        "label": label,
        "placeholder": placeholder,
        "url": COMPLETE_URL,
    }
    _box(data=data, key=_KEY, on_typed_change=_typed)
    return asked()


def asked() -> str:
    """The query the address holds."""
    return str(st.query_params.get(ADDRESS, ""))


def ask(query: str) -> None:
    """Put another query into the address; the box shows it at the next run."""
    if query:
        st.query_params[ADDRESS] = query
    else:
        st.query_params.pop(ADDRESS, None)


def point_at(error: QueryError) -> None:
    """Say what is wrong with the query, and show where."""
    st.error(plain(str(error)), icon=":material/error:")
    st.code(error.pointer, language=None)


def _typed() -> None:
    typed = st.session_state[_KEY].typed
    if isinstance(typed, str):
        ask(typed.strip())
