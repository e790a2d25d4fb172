"""Compare result: what a comparison comes to, and the way to make one the setting."""

from typing import Any

import streamlit as st

from pages.parts import setting_form, told, who, wording
from pages.parts.wording import count, plain
from tagger.acting import Role
from tagger.sections import BUILTIN
from tagger.tracking.agreement import Result, Score
from tagger.tracking.contested import Contender, Whole
from tagger.web import comparing
from tagger.web.runtime import Runtime


def show(app: Runtime, whole: Whole, *, blind: bool) -> None:
    """The table; hidden while photos are judged blind, for it would give names away."""
    one = whole.comparison
    st.subheader("What it comes to", anchor=False)
    if blind and one.chosen < len(one.photos):
        st.caption(
            f"{one.chosen:,} of {count(len(one.photos), 'photo')} judged. The numbers "
            "show once all are, or when you stop judging blind."
        )
        return
    found = comparing.result(app, whole)
    _table(whole, found)
    _pairs(whole, found)
    _verdicts(found)
    _setting(app, whole, found)


def names(whole: Whole) -> dict[int, str]:
    """What contenders are called, by their ids; prompts are told apart by a letter."""
    said = [_named(one) for one in whole.comparison.contenders]
    return {
        one.id: f"{name} ({chr(65 + one.position)})" if said.count(name) > 1 else name
        for one, name in zip(whole.comparison.contenders, said, strict=True)
    }


def _named(one: Contender) -> str:
    if one.server == BUILTIN:
        return "Built-in model"
    return f"{one.model} on {one.server}"


def _table(whole: Whole, found: Result) -> None:
    called, photos = names(whole), len(whole.comparison.photos)
    st.dataframe(
        [_line(called[score.contender_id], score, photos) for score in found.scores],
        hide_index=True,
        alt="Each contender in numbers",
        key="compare_table",
        column_config={
            "Contender": st.column_config.TextColumn(width="medium"),
            "Like tags now": st.column_config.TextColumn(
                help="Mean share of tags that its answer and the photo as it is now "
                "have in common (Jaccard index).",
            ),
            "Win rate": st.column_config.TextColumn(
                help="Of the photos with a better answer."
            ),
        },
    )


def _line(name: str, score: Score, photos: int) -> dict[str, Any]:
    tags = score.tags_a_photo
    return {
        "Contender": name,
        "Answered": f"{score.answered} of {photos}",
        "Not usable": score.invalid,
        "Failed": score.failed + score.withheld,
        "Tags a photo": "" if tags is None else f"{tags:.1f}",
        "Median": "" if score.median_s is None else wording.seconds(score.median_s),
        "Tokens in": f"{score.tokens_in:,}",
        "Tokens out": f"{score.tokens_out:,}",
        "Like tags now": _share(score.agreement),
        "Wins": score.wins,
        "Win rate": _share(score.win_rate),
    }


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.0%}"


def _pairs(whole: Whole, found: Result) -> None:
    called = names(whole)
    for pair in found.pairs:
        st.caption(
            f"{plain(called[pair.one])} and {plain(called[pair.other])} have "
            f"**{pair.agreement:.0%}** of their tags in common, on "
            f"{count(pair.photos, 'photo')}."
        )


def _verdicts(found: Result) -> None:
    if found.decided or found.ties or found.neither:
        st.caption(
            f"{count(found.decided, 'photo')} with a better answer, "
            f"{count(found.ties, 'tie')}, {found.neither:,} with none that is good."
        )


def _setting(app: Runtime, whole: Whole, found: Result) -> None:
    if not who.may(Role.ADMIN):
        st.caption("An admin can have one of them asked from now on.")
        return
    called = names(whole)
    contenders = {one.id: one for one in whole.comparison.contenders}
    ids = list(contenders)
    with st.container(
        horizontal=True, vertical_alignment="bottom", key="compare_setting"
    ):
        chosen = st.selectbox(
            "From now on, ask",
            ids,
            index=ids.index(found.winner) if found.winner else 0,
            format_func=lambda id_: called[id_],
            # Another winner is proposed anew.
            key=f"compare_prefer_{whole.comparison.id}_{found.winner}",
            width=320,
        )
        go = st.button(
            "Make the winner the setting"
            if chosen == found.winner
            else "Make it the setting",
            type="primary" if chosen == found.winner else "secondary",
            icon=":material/check_circle:",
            key="compare_prefer_go",
        )
    st.caption(_means(app, contenders[chosen]))
    if go:
        _prefer(app, whole.comparison.id, contenders[chosen])


def _prefer(app: Runtime, comparison_id: int, one: Contender) -> None:
    detail = {"comparison_id": comparison_id, "server": one.server, "model": one.model}
    with told.refusals(), who.doing("prefer", needs=Role.ADMIN, **detail):
        setting_form.tell(comparing.prefer(app, one))


def _means(app: Runtime, one: Contender) -> str:
    """What would change, before it does."""
    if one.server == BUILTIN:
        return "Sets model.backend to builtin: no server is asked any more."
    others = [
        server.called
        for server in app.config.servers
        if server.called != one.server and server.model != one.model and server.weight
    ]
    said = (
        f"Sets the model of {plain(one.server)}, the language, the number of tags and "
        "the extra instruction in config.toml. Photos tagged so far stay as they are."
    )
    if others:
        said += (
            f" {plain(', '.join(others))}: asked no more, but for folders bound to it."
        )
    return said
