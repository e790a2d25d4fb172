"""Audit table: the log, the newest first, page by page; one entry can be read whole.

What stands in it was typed by anybody, tries to sign in among it: text only.
"""

import json
from datetime import UTC, datetime

import streamlit as st

from pages.parts.wording import plain
from tagger.tracking import audit
from tagger.tracking.audit import Entry
from tagger.tracking.database import Database

ENTRIES_A_PAGE = 100
_WHO, _BEFORE = "who", "before"
_EVERYBODY = ""


def show(db: Database) -> None:
    """The filter, a page of the table, and the entry that is chosen."""
    who = _who(db)
    before = _before()
    found = audit.read(db, limit=ENTRIES_A_PAGE + 1, before=before, who=who or None)
    shown = found[:ENTRIES_A_PAGE]
    if not shown:
        st.info("Nothing was changed by anybody so far." if not who else "Nothing.")
    else:
        _table(shown)
    with st.container(horizontal=True):
        if before is not None:
            st.button("Newest", key="audit_newest", on_click=_go, args=(None,))
        if len(found) > ENTRIES_A_PAGE:
            st.button("Older", key="audit_older", on_click=_go, args=(shown[-1].id,))


def _who(db: Database) -> str:
    known = [_EVERYBODY, *audit.people(db)]
    asked = st.query_params.get(_WHO, _EVERYBODY)
    st.session_state["audit_who"] = asked if asked in known else _EVERYBODY
    return st.selectbox(
        "By",
        known,
        format_func=lambda name: name or "Everybody",
        key="audit_who",
        on_change=_write,
        width=340,
    )


def _write() -> None:
    st.query_params.pop(_BEFORE, None)
    if name := st.session_state["audit_who"]:
        st.query_params[_WHO] = name
    else:
        st.query_params.pop(_WHO, None)


def _before() -> int | None:
    asked = st.query_params.get(_BEFORE, "")
    is_number = asked.isascii() and asked.isdecimal() and len(asked) < 19
    return int(asked) if is_number and int(asked) else None


def _go(before: int | None) -> None:
    if before is None:
        st.query_params.pop(_BEFORE, None)
    else:
        st.query_params[_BEFORE] = str(before)


def _table(entries: list[Entry]) -> None:
    event = st.dataframe(
        {
            "When": [_local(one.at) for one in entries],
            "Who": [one.who for one in entries],
            "What": [one.what for one in entries],
            "What came of it": [one.outcome or "unknown" for one in entries],
            "Detail": [_line(one) for one in entries],
            "Role": [one.role for one in entries],
            "From": [one.way for one in entries],
        },
        column_config={"Detail": st.column_config.TextColumn(width="large")},
        hide_index=True,
        alt="What people changed, the newest first",
        on_select="rerun",
        selection_mode="single-row",
        key=f"audit_table_{entries[0].id}",
    )
    rows = [row for row in event.selection.rows if row < len(entries)]
    if rows:
        _whole(entries[rows[0]])
    else:
        st.caption("Select a row to read all of it.")


def _whole(one: Entry) -> None:
    with st.container(border=True, key="audit_entry"):
        st.markdown(
            f"**{plain(one.who)}** ({one.role}, {plain(one.way)}), {_local(one.at)}: "
            f"{plain(one.what)}"
        )
        st.text(one.outcome or "Nobody knows what came of it: the program ended.")
        if one.detail:
            text = json.dumps(one.detail, ensure_ascii=False, indent=2)
            st.code(text, language=None, wrap_lines=True)


def _line(one: Entry) -> str:
    return ", ".join(f"{key}: {value}" for key, value in one.detail.items())


def _local(at: str) -> str:
    """A time as this machine's clock shows it."""
    when = datetime.fromisoformat(at)
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return f"{when.astimezone():%Y-%m-%d %H:%M:%S}"
