"""Folder list: each folder that was added, those that lie in others below them.

The address holds which one is chosen and what is looked for, so that a link opens the
same.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pages.parts import wording
from pages.parts.component import component
from tagger.catalogue.questions import FolderCount
from tagger.errors import shown
from tagger.records import Folder, Watching
from tagger.sections import Schedule
from tagger.tracking import waiting
from tagger.tracking.places import is_within

ADDRESS, FIND = "folder", "find"
MANY = 12
_KEY = "folders_list"

_list = component("folderlist", '<div class="folders" data-testid="folder-list"></div>')


def chosen(known: Sequence[Folder]) -> Folder | None:
    """The folder the address names; where there is but one, that."""
    asked = st.query_params.get(ADDRESS)
    if asked is None and len(known) == 1:
        return known[0]
    return next((one for one in known if str(one.id) == asked), None)


def choose(folder_id: int | None) -> None:
    """Put a folder into the address, or none."""
    if folder_id is None:
        st.query_params.pop(ADDRESS, None)
    else:
        st.query_params[ADDRESS] = str(folder_id)


def show(
    known: Sequence[Folder],
    counts: Mapping[int, FolderCount],
    watching: Mapping[int, Watching],
    schedule: Schedule,
) -> None:
    """The table; one that is clicked is chosen, or let go if it was."""
    found = _found(known) if len(known) > MANY else list(known)
    if not found:
        st.info("No folder has that in its path.")
        return
    taken = chosen(known)
    above: list[Folder] = []
    rows = []
    for folder in sorted(found, key=lambda one: one.path.split(b"/")):
        while above and not is_within(folder.path, above[-1].path):
            above.pop()
        row = _row(folder, above, counts.get(folder.id), watching.get(folder.id))
        row["hours"] = _hours(folder, schedule)
        row["chosen"] = taken is not None and folder.id == taken.id
        rows.append(row)
        above.append(folder)
    _list(data={"rows": rows}, key=_KEY, on_opened_change=_opened)


def _opened() -> None:
    folder_id = st.session_state[_KEY].opened
    if isinstance(folder_id, int):
        again = st.query_params.get(ADDRESS) == str(folder_id)
        choose(None if again else folder_id)


def _found(known: Sequence[Folder]) -> list[Folder]:
    key = "folders_find"
    asked = str(st.query_params.get(FIND, ""))
    st.session_state[key] = asked
    st.text_input(
        "Find a folder",
        key=key,
        placeholder="A part of its path",
        on_change=lambda: _find(st.session_state[key]),
    )
    sought = asked.casefold()
    return [one for one in known if sought in shown(one.path).casefold()]


def _find(text: str) -> None:
    if text.strip():
        st.query_params[FIND] = text.strip()
    else:
        st.query_params.pop(FIND, None)


def _row(
    folder: Folder,
    above: Sequence[Folder],
    counts: FolderCount | None,
    watching: Watching | None,
) -> dict[str, Any]:
    path = shown(folder.path)
    name = path
    if above:
        name = shown(os.path.relpath(folder.path, above[-1].path))
    state, why = state_of(folder, watching)
    scanned = folder.last_scan_at
    return {
        "id": folder.id,
        "name": name,
        "path": path,
        "depth": len(above),
        "photos": counts.total if counts else 0,
        "tagged": counts.tagged if counts else 0,
        "failed": counts.failed if counts else 0,
        "scanned": wording.ago(scanned) if scanned else "not yet",
        "state": state,
        "why": why,
        "words": wording.WRITE_MODES[folder.write_mode],
        "servers": ", ".join(folder.servers) if folder.servers else "Any",
    }


def state_of(folder: Folder, watching: Watching | None) -> tuple[str, str]:
    """`Watched`, `Scanned`, `Away` or `Paused`, and why."""
    if folder.offline:
        return "Away", wording.upper(folder.offline)
    if not folder.active:
        return "Paused", "Neither watched nor worked on."
    if watching is None:
        return "Active", "No tagger is watching it at the moment."
    said = wording.watching(watching)
    return ("Scanned" if watching.note else "Watched"), said


def _hours(folder: Folder, schedule: Schedule) -> str:
    waits = waiting.until(folder, schedule)
    own = folder.hours or ("" if schedule.window else "Always")
    return "; ".join(part for part in (own, waits or "") if part) or "As all"
