"""Tag list: all tags, found while typing, and several of them made one."""

import streamlit as st

from pages.parts import empty, tag_address, tag_preview, tag_wording, tagtable, who
from pages.parts.wording import count, plain
from tagger.acting import Role
from tagger.catalogue.tagtable import Order
from tagger.web.runtime import Runtime
from tagger.web.tagchanges import What

TAGS_A_PAGE = 50
_FIND, _BY, _PAGE = "find", "by", "page"
ORDERS = {
    Order.COUNT: "Most photos",
    Order.NAME: "Name",
    Order.NEWEST: "Newest",
    Order.TREND: "Growing",
}


def show(app: Runtime) -> None:
    """The inputs, what is to be done to those chosen, and a page of the table."""
    typed, order = _inputs()
    _chosen(app)
    page = max(1, tag_address.number(_PAGE))
    start = (page - 1) * TAGS_A_PAGE
    listed = app.tags.listed(typed, order=order, start=start, limit=TAGS_A_PAGE)
    pages = max(1, -(-listed.total // TAGS_A_PAGE))
    if page > pages:
        page, start = pages, (pages - 1) * TAGS_A_PAGE
        listed = app.tags.listed(typed, order=order, start=start, limit=TAGS_A_PAGE)
    if not listed.total:
        _none(typed)
        return
    st.caption(count(listed.total, "tag") + (" with that in the name" if typed else ""))
    tagtable.show(listed.rows, picked=tag_address.picked(), key="tags_table")
    tag_address.turn(_PAGE, page, pages)


def _inputs() -> tuple[str, Order]:
    typed, asked = tag_address.said(_FIND), tag_address.said(_BY)
    order = Order(asked) if asked in [*Order] else Order.COUNT
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            "Find a tag",
            key=tag_address.bound(_FIND, typed),
            on_change=tag_address.write,
            args=(_FIND, _PAGE),
            type="search",
            live="250ms",
            placeholder="Part of its name",
            max_chars=200,
            width=320,
        )
        st.radio(
            "Order",
            list(ORDERS),
            format_func=lambda order: ORDERS[order],
            key=tag_address.bound(_BY, order),
            on_change=tag_address.write,
            args=(_BY, _PAGE),
            horizontal=True,
            help="Growing: on more photos of the last twelve months than of the twelve "
            "before; the newest photo ends them.",
        )
    return typed, order


def _none(typed: str) -> None:
    if typed:
        st.info(
            plain(f"No tag has {tag_wording.cut(typed)} in its name."),
            icon=":material/search_off:",
        )
        st.button(
            "Show all", key="tags_clear", on_click=tag_address.put, args=("find", "")
        )
    else:
        empty.no_tags()


def _chosen(app: Runtime) -> None:
    """What is to be done to the tags with a check mark."""
    names = tag_address.picked()
    if not names or not who.may(Role.EDITOR):
        return
    change = tag_address.change(names)
    if change is not None and change.is_whole:
        tag_preview.show(app, change)
        return
    with st.container(border=True, key="tags_chosen"):
        st.markdown(f"{count(len(names), 'tag')} chosen: {tag_wording.names(names)}")
        known = [tag for name in names if (tag := app.tags.named(name))]
        known.sort(key=lambda tag: -tag.count)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.selectbox(
                "They become",
                [tag.name for tag in known] or list(names),
                key="tags_into",
                accept_new_options=True,
                width=280,
            )
            st.button(
                "Look at merging",
                key="tags_merge",
                icon=":material/merge:",
                disabled=len(names) < 2 and st.session_state.get("tags_into") in names,
                on_click=_ask_to_merge,
            )
            st.button(
                "Look at deleting",
                key="tags_delete",
                icon=":material/delete:",
                on_click=tag_address.ask,
                args=(What.DELETE,),
            )
            st.button(
                "Choose none", key="tags_none", on_click=tag_address.pick, args=((),)
            )


def _ask_to_merge() -> None:
    tag_address.ask(What.MERGE, str(st.session_state.get("tags_into") or "").strip())
