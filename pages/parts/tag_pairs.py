"""Tag pairs: tags that are probably one, to be made one or to be left alone."""

import streamlit as st

from pages.parts import tag_address, tag_preview, tag_wording, told, who
from pages.parts.wording import count, plain
from tagger.acting import Role
from tagger.catalogue.tagpairs import Kind
from tagger.catalogue.tagtable import Suggestion
from tagger.tracking import dismissing
from tagger.web.runtime import Runtime
from tagger.web.suggesting import suggested
from tagger.web.tagchanges import What

PAIRS_A_PAGE = 25
_KIND, _PAGE = "kind", "pairs"
KINDS = {
    "": "All",
    Kind.WRITING: "Accents, spaces, hyphens",
    Kind.PLURAL: "Plural",
    Kind.SPELLING: "Spelling",
    Kind.MEANING: "Meaning",
}
WHY = {
    Kind.WRITING: "written in two ways",
    Kind.PLURAL: "singular and plural",
    Kind.SPELLING: "spelt alike",
    Kind.MEANING: "near in meaning",
}


def show(app: Runtime) -> None:
    """The pairs, the surest first; one that is looked at shows what merging changes."""
    change = tag_address.change(tag_address.picked())
    if change is not None and change.is_whole and who.may(Role.EDITOR):
        tag_preview.show(app, change)
    kind = _kind()
    with st.spinner("Comparing tags"):
        found = suggested(app, meaning=kind in ("", Kind.MEANING))
    pairs = [one for one in found.pairs if kind in ("", one.kind)]
    if found.note:
        st.caption(plain(found.note))
    if not pairs:
        st.info("No two tags look like one.", icon=":material/check:")
    else:
        pages = -(-len(pairs) // PAIRS_A_PAGE)
        page = min(max(1, tag_address.number(_PAGE)), pages)
        st.caption(count(len(pairs), "pair") + ". The rarer tag becomes the other.")
        start = (page - 1) * PAIRS_A_PAGE
        for one in pairs[start : start + PAIRS_A_PAGE]:
            _pair(app, one)
        tag_address.turn(_PAGE, page, pages)
    _dismissed(app)


def _kind() -> str:
    asked = tag_address.said(_KIND)
    kind = asked if asked in KINDS else ""
    st.radio(
        "Why",
        list(KINDS),
        format_func=lambda one: KINDS[one],
        key=tag_address.bound(_KIND, kind),
        on_change=tag_address.write,
        args=(_KIND, _PAGE),
        horizontal=True,
    )
    return kind


def _pair(app: Runtime, one: Suggestion) -> None:
    key = f"tags_pair_{one.goes.tag_id}_{one.stays.tag_id}"
    with st.container(
        horizontal=True,
        horizontal_alignment="distribute",
        vertical_alignment="center",
        border=True,
        key=key,
    ):
        st.markdown(
            f"**{tag_wording.short(one.goes.name)}** ({one.goes.count:,}) → "
            f"**{tag_wording.short(one.stays.name)}** ({one.stays.count:,})  \n"
            f":small[{WHY[one.kind]}]"
        )
        if not who.may(Role.EDITOR):
            return
        with st.container(horizontal=True, width="content"):
            st.button(
                "Look at merging", key=f"{key}_merge", on_click=_merge, args=(one,)
            )
            st.button(
                "Swap",
                key=f"{key}_swap",
                on_click=_merge,
                args=(Suggestion(one.stays, one.goes, one.kind),),
                help="Look at merging the other way round",
            )
            st.button(
                "Not one tag", key=f"{key}_dismiss", on_click=_dismiss, args=(app, one)
            )


def _merge(one: Suggestion) -> None:
    tag_address.follow(None)
    tag_address.pick([one.goes.name])
    tag_address.ask(What.MERGE, one.stays.name)


def _dismiss(app: Runtime, one: Suggestion) -> None:
    names = one.goes.name, one.stays.name
    with told.refusals(), who.doing("dismiss", tags=names):
        dismissing.dismiss(app.db, *names)


def _dismissed(app: Runtime) -> None:
    """The pairs a person said are two tags, to think again."""
    pairs = dismissing.every(app.db)
    if not pairs:
        return
    with st.expander(f"{count(len(pairs), 'pair')} left alone"):
        for number, (first, second) in enumerate(pairs[:100]):
            with st.container(
                horizontal=True,
                horizontal_alignment="distribute",
                vertical_alignment="center",
            ):
                st.markdown(tag_wording.names([first, second]))
                if who.may(Role.EDITOR):
                    st.button(
                        "Suggest again",
                        key=f"tags_recall_{number}",
                        on_click=_recall,
                        args=(app, first, second),
                    )


def _recall(app: Runtime, first: str, second: str) -> None:
    with told.refusals(), who.doing("recall", tags=(first, second)):
        dismissing.recall(app.db, first, second)
