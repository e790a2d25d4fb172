"""Folder schedule: the hours a folder is worked on, and how often it is scanned."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from pages.parts import told, who
from pages.parts.wording import plain
from tagger.acting import Role
from tagger.config import Config
from tagger.records import Folder
from tagger.tracking import schedules, waiting
from tagger.tracking.database import Database


def show(db: Database, folder: Folder, config: Config) -> None:
    """Both inputs; empty ones go by the settings, whose values stand in them."""
    hours = _Field(
        name="hours",
        label="Hours its photos are worked on",
        value=folder.hours or "",
        placeholder=f"as all: {config.schedule.window or 'always'}",
        help="Two times of day, such as 22:00-07:00. Empty: the hours of the settings. "
        "What you ask for by name is done at any time.",
        keep=lambda typed: schedules.set_hours(db, folder.id, typed),
    )
    own = folder.scan_interval_min
    pace = _Field(
        name="pace",
        label="Scan every, minutes",
        value="" if own is None else f"{own:g}",
        placeholder=f"as all: {config.scan.interval_min:g}",
        help="1440 is once a day. Empty: as the settings say. Where the folder is "
        "watched, changes show up at once all the same.",
        keep=lambda typed: _set_pace(db, folder.id, typed),
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _input(folder, hours)
        _input(folder, pace)
    if waits := waiting.until(folder, config.schedule):
        st.caption(f":material/schedule: Its queue {plain(waits)}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    """One input: its name in keys, what stands in it, and who keeps what is typed."""

    name: str
    label: str
    value: str
    placeholder: str
    help: str
    keep: Callable[[str], None]


def _input(folder: Folder, field: _Field) -> None:
    key = f"folder_{folder.id}_{field.name}"
    known = f"{key}_known"
    if key not in st.session_state or st.session_state.get(known) != field.value:
        st.session_state[key] = st.session_state[known] = field.value

    def changed() -> None:
        typed = st.session_state[key]
        detail = {"folder_id": folder.id, field.name: typed}
        with told.refusals(), who.doing("schedule folder", needs=Role.ADMIN, **detail):
            field.keep(typed)

    st.text_input(
        field.label,
        key=key,
        placeholder=field.placeholder,
        help=field.help,
        width=230,
        disabled=not who.may(Role.ADMIN),
        on_change=changed,
    )


def _set_pace(db: Database, folder_id: int, typed: str) -> None:
    schedules.set_scan_interval(db, folder_id, schedules.minutes(typed))
