"""Compare form: who is asked, about which photos; a row for each contender.

What was filled in so far is this visit's; which photos are meant is in the address.
"""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.parts import compare_address, told, who
from pages.parts.searchbox import point_at
from pages.parts.wording import count, plain
from tagger.catalogue import questions
from tagger.catalogue.questions import Wanted
from tagger.config import Config
from tagger.errors import QueryError, TaggerError
from tagger.sections import BUILTIN
from tagger.tracking.comparisons import FEW_PHOTOS, MOST_CONTENDERS, MOST_PHOTOS
from tagger.web import comparing, servers
from tagger.web.runtime import Runtime

FRESH_S = 60  # a server is asked for its models once in this time
_ROWS, _NEXT = "compare_rows", "compare_next_row"


@dataclass(frozen=True, slots=True)
class _Photos:
    """Which photos a comparison gets: these, or a sample of what a query finds."""

    ids: tuple[int, ...] = ()
    query: str = ""
    count: int = FEW_PHOTOS

    @property
    def number(self) -> int:
        return len(self.ids) or self.count


def show(app: Runtime) -> None:
    """The form of a new comparison."""
    st.write(
        "Ask several models, or one with several prompts, about the same photos, and "
        "choose the better answers. Photos, their words and their files stay as they "
        "are."
    )
    with st.container(border=True, key="compare_new"):
        st.subheader("New comparison", anchor=False)
        photos = _photos(app)
        rows = _rows()
        asked = [
            _row(app.config, row, position, removable=len(rows) > 2)
            for position, row in enumerate(rows)
        ]
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                "Add a contender",
                icon=":material/add:",
                key="compare_add",
                on_click=_add,
                disabled=len(rows) >= MOST_CONTENDERS,
            )
            go = st.button(
                "Compare",
                type="primary",
                icon=":material/balance:",
                key="compare_go",
                disabled=photos is None,
            )
            if photos is not None:
                _told(photos, len(rows))
        if go and photos is not None:
            _make(app, photos, asked)


def _photos(app: Runtime) -> _Photos | None:
    """What is chosen; None while it is nothing that can be compared."""
    if ids := compare_address.ids():
        return _chosen(ids)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        query = compare_address.query()
        number = st.number_input(
            "How many, by chance",
            1,
            MOST_PHOTOS,
            FEW_PHOTOS,
            key="compare_count",
            width=170,
        )
    try:
        total = questions.page(app.catalogue, Wanted(query=query), limit=1).total
    except QueryError as error:
        point_at(error)
        return None
    if not total:
        st.caption("No photo fits.")
        return None
    return _Photos(query=query, count=min(int(number), total))


def _chosen(ids: list[int]) -> _Photos:
    kept = tuple(ids[:MOST_PHOTOS])
    with st.container(horizontal=True, vertical_alignment="center"):
        more = f", the first of {len(ids):,} chosen" if len(ids) > len(kept) else ""
        st.markdown(f"**{count(len(kept), 'photo')}**{more}", width="content")
        st.button(
            "Take a sample instead",
            type="tertiary",
            key="compare_sample",
            on_click=compare_address.forget_ids,
        )
    return _Photos(ids=kept)


def _told(photos: _Photos, contenders: int) -> None:
    number = photos.number
    said = f"{count(number * contenders, 'question')} about {count(number, 'photo')}."
    if number < FEW_PHOTOS:
        said += f" Fewer than {FEW_PHOTOS} photos say little about a model."
    st.caption(said)


def _rows() -> list[int]:
    rows: list[int] = st.session_state.setdefault(_ROWS, [0, 1])
    st.session_state.setdefault(_NEXT, len(rows))
    return rows


def _add() -> None:
    row = st.session_state[_NEXT]
    st.session_state[_NEXT] = row + 1
    st.session_state[_ROWS] = [*_rows(), row]


def _remove(row: int) -> None:
    st.session_state[_ROWS] = [one for one in _rows() if one != row]


def _row(config: Config, row: int, position: int, *, removable: bool) -> dict[str, Any]:
    """The inputs of one contender; answers what is asked of it."""
    names = servers.names(config)
    with st.container(border=True, key=f"compare_row_{row}"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            server = st.selectbox(
                f"Server of contender {position + 1}",
                names,
                index=min(position, len(names) - 1),
                format_func=lambda one: (
                    "Built-in model" if one == BUILTIN else plain(one)
                ),
                key=f"compare_server_{row}",
                width=280,
            )
            if server == BUILTIN:
                asked: dict[str, Any] = {"server": BUILTIN}
            else:
                asked = {"server": server, "model": _model(config, row, server)}
            if removable:
                st.button(
                    "Remove",
                    key=f"compare_remove_{row}",
                    type="tertiary",
                    icon=":material/close:",
                    on_click=_remove,
                    args=(row,),
                )
        if server != BUILTIN:
            asked |= _prompt(config, row)
    return asked


def _model(config: Config, row: int, server: str) -> str:
    """The model, of those the server offers or typed in."""
    known, problem = _offered(config, server)
    model = st.selectbox(
        "Model",
        known,
        key=f"compare_model_{row}_{server}",
        accept_new_options=True,
        width=280,
        help="One that the server has, or type another name.",
    )
    if problem:
        st.caption(plain(problem))
    return str(model or "")


def _offered(config: Config, server: str) -> tuple[list[str], str | None]:
    own = next(one for one in config.servers if one.called == server)
    models, problem = _models(server, own.model_dump_json())
    return list(dict.fromkeys([own.model, *models])), problem


@st.cache_data(ttl=FRESH_S, max_entries=50, show_spinner="Asking the server")
def _models(server: str, settings: str) -> tuple[tuple[str, ...], str | None]:
    """What a server with these settings has, and why it could not be asked."""
    try:
        found = comparing.offered(server)
    except TaggerError as error:
        return (), str(error)
    return found.models, None if found.reachable else found.problem


def _prompt(config: Config, row: int) -> dict[str, Any]:
    what = config.model
    with st.expander("Prompt", key=f"compare_prompt_{row}"):
        instruction = st.text_area(
            "Extra instruction",
            value=what.extra_instruction,
            key=f"compare_instruction_{row}",
            max_chars=4_000,
            placeholder="Added to what is asked, such as: name breeds of dogs.",
        )
        with st.container(horizontal=True):
            language = st.text_input(
                "Language",
                value=what.language,
                key=f"compare_language_{row}",
                max_chars=100,
                width=180,
            )
            fewest = st.number_input(
                "Tags at least",
                0,
                50,
                what.tags_min,
                key=f"compare_min_{row}",
                width=140,
            )
            most = st.number_input(
                "Tags at most",
                1,
                100,
                what.tags_max,
                key=f"compare_max_{row}",
                width=140,
            )
    return {
        "extra_instruction": instruction,
        "language": language,
        "tags_min": int(fewest),
        "tags_max": int(most),
    }


def _make(app: Runtime, photos: _Photos, asked: list[dict[str, Any]]) -> None:
    with told.refusals():
        wishes = [comparing.wish(app.config, **one) for one in asked]
        which = {"query": photos.query, "ids": photos.ids, "count": photos.count}
        models = [one.model for one in wishes]
        with who.doing("compare", models=models, **which):
            made = comparing.make(
                app, wishes, query=photos.query, ids=photos.ids, count=photos.count
            )
        compare_address.open_it(made)
        st.rerun()
