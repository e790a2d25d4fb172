"""Tag sheet: one tag, all that is known of it, and what can be done to it."""

import streamlit as st

from pages.parts import (
    charts,
    chips,
    facts,
    grid,
    photo,
    places,
    tag_address,
    tag_preview,
    tag_wording,
    who,
)
from pages.parts.wording import count
from tagger.catalogue import questions, tagabout
from tagger.catalogue.facets import TagCount
from tagger.catalogue.questions import Wanted
from tagger.catalogue.tagabout import About
from tagger.tracking import tagnames, vocabulary
from tagger.web.runtime import Runtime
from tagger.web.tagchanges import What

LOOK_AT = 24


def show(app: Runtime, name: str) -> None:
    """The tag of this name, also one that no photo has by now."""
    st.button(
        "All tags",
        icon=":material/arrow_back:",
        type="tertiary",
        key="tags_all",
        on_click=tag_address.open_tag,
        args=(None,),
    )
    tag = app.tags.named(name)
    shown = tag.name if tag else tagnames.tidy(name)
    st.subheader(tag_wording.short(shown), anchor=False)
    if len(shown) > tag_wording.SHOWN:
        st.text(shown)
    offered = _standing(app, shown)
    st.text(f"On {count(tag.count, 'photo')}." if tag else "No photo has this tag.")
    _actions(app, shown, offered)
    if tag is not None:
        _known(app, tag)


def _standing(app: Runtime, name: str) -> list[What]:
    """What the word lists say of it; answers what can be done to it."""
    key = tagnames.key(name)
    listed = vocabulary.every_synonym(app.db)
    words = [word for word, tag in listed if tagnames.key(tag) == key]
    becomes = [tag for word, tag in listed if word == key]
    banned = key in {tagnames.key(one) for one in vocabulary.every_ban(app.db)}
    if banned:
        st.badge("Banned: no answer brings it", color="red", icon=":material/block:")
    if becomes:
        st.markdown(f"In answers of models it becomes {tag_wording.names(becomes)}.")
    if words:
        st.markdown(
            f"In answers of models, {tag_wording.names(words)} become this tag."
        )
    return [
        *(What.RENAME, What.MERGE, What.DELETE),
        What.UNSYNONYM if becomes else What.SYNONYM,
        What.UNBAN if banned else What.BAN,
    ]


def _actions(app: Runtime, name: str, offered: list[What]) -> None:
    offered = [what for what in offered if who.may(tag_preview.needed(what))]
    change = tag_address.change([name])
    if not offered:
        return
    if change is not None and change.is_whole:
        tag_preview.show(app, change)
        return
    with st.container(horizontal=True, key="tags_actions"):
        for what in offered:
            st.button(
                tag_wording.ACTIONS[what],
                key=f"tags_do_{what}",
                type="primary" if change and change.what is what else "secondary",
                on_click=_choose,
                args=(what,),
            )
    if change is not None:
        _ask_name(change.what)


def _choose(what: What) -> None:
    tag_address.follow(None)
    tag_address.ask(what)


def _ask_name(what: What) -> None:
    label = {
        What.RENAME: "New name",
        What.MERGE: "Merge into",
        What.SYNONYM: "In answers it becomes",
    }[what]
    with (
        st.form("tags_name", border=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        st.text_input(label, key="tags_to", max_chars=500, width=320)
        st.form_submit_button(
            "Look at it first", key="tags_look_first", on_click=_ask, args=(what,)
        )


def _ask(what: What) -> None:
    tag_address.ask(what, tagnames.tidy(st.session_state["tags_to"]))


def _known(app: Runtime, tag: TagCount) -> None:
    known = tagabout.about(app.catalogue, tag)
    left, right = st.columns([3, 2], gap="large")
    with left:
        if known.months:
            charts.months(known.months, key="tags_months")
        else:
            st.caption("None of its photos says when it was taken.")
    with right:
        _said_by(known, tag)
    if known.together:
        st.caption("Often beside it")
        chips.show(
            [chips.Chip(one.name, one.count) for one in known.together],
            label="Tags beside it",
            key="tags_beside",
            on_pick=tag_address.open_tag,
        )
    _photos(app, tag)


def _said_by(known: About, tag: TagCount) -> None:
    st.caption("Who says it")
    all_of_it = max(1, sum(number for _, number in known.sources))
    facts.show(
        [
            (
                tag_wording.source(source),
                f"{count(number, 'photo')}, {number / all_of_it:.0%}",
            )
            for source, number in known.sources
        ],
        key="tags_sources",
    )


def _photos(app: Runtime, tag: TagCount) -> None:
    page = questions.page(app.catalogue, Wanted(tags=(tag.name,)), limit=LOOK_AT)
    opened = grid.show(
        page.images,
        label=f"Photos with this tag, {len(page.images)} of {page.total}",
        key="tags_photos",
        left=photo.left(),
    )
    if opened is not None:
        st.query_params["photo"] = str(opened)
    if page.total > len(page.images) and st.button(
        f"Show all {page.total:,} in the gallery", key="tags_gallery"
    ):
        places.gallery(tag=tag.name)
    photo.show_asked([card.id for card in page.images])
