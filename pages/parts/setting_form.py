"""Setting form: a form for each section of the settings, made from its own types."""

from collections.abc import Mapping
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import streamlit as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pages.parts import told, who, wording
from pages.parts.wording import plain
from tagger import acting
from tagger.acting import Role
from tagger.records import WriteMode
from tagger.web import comments, here, masking, settings
from tagger.web.runtime import Runtime
from tagger.web.settings import Saved

TITLES = {
    "model": "What is asked of the model",
    "metadata": "What is written into photos",
    "scan": "How folders are looked through",
    "schedule": "When photos are worked on, and in which order",
    "tagger": "The tagger process",
    "catalogue": "Look-alikes, and how far questions in SQL may go",
    "ui": "What screens show besides",
    "semantic": "Searching by meaning: which model reads the descriptions",
    "retry": "When a server does not answer",
    "auth": "Who is let in",
    "app": "Where the browser finds the app",
    "library": "Which folders photos may lie in",
    "data": "Where the program keeps its own files",
    "tracking": "A database for several machines that tag one library together",
}


def show(app: Runtime, held: Mapping[str, str]) -> None:
    """All sections but the servers, each saved by itself."""
    for name, title in TITLES.items():
        with st.expander(title, expanded=name == "model", key=f"settings_{name}"):
            _section(app, name, held)


def _section(app: Runtime, name: str, held: Mapping[str, str]) -> None:
    values: BaseModel = getattr(app.config, name)
    with st.form(f"settings_form_{name}", border=False):
        edited = {
            key: field(
                f"{name}.{key}", info, getattr(values, key), held.get(f"{name}.{key}")
            )
            for key, info in type(values).model_fields.items()
        }
        saved = st.form_submit_button("Save", key=f"settings_save_{name}")
    if saved:
        changed = {
            key: value
            for key, value in edited.items()
            if value != _as_shown(values, key)
        }
        save(app, {name: changed})


def save(app: Runtime, changes: Mapping[str, Any]) -> None:
    """Save edits, take them into force, and say what waits for a restart."""
    with told.refusals():
        with who.doing("save config", needs=Role.ADMIN, **masking.masked(changes)):
            saved = settings.save(changes)
            app.apply(saved.config)
        tell(saved)


def tell(saved: Saved) -> None:
    """Say what was saved, and what waits for a restart."""
    if saved.restart:
        names = ", ".join(saved.restart)
        st.info(plain(f"Saved. {names}: from the next start of the app on."))
    elif saved.changed and not saved.config.tagger.with_app:
        st.info(
            "Saved. The tagger, which the app did not start, has it when restarted."
        )
    else:
        st.success("Saved." if saved.changed else "Nothing was changed.")


def field(
    key: str, info: FieldInfo, value: Any, variable: str | None, *, unique: str = ""
) -> Any:
    """One input for one setting, of the kind its type asks for; answers its value.

    `unique` tells the inputs of one setting apart where it occurs in a list.
    """
    label = wording.setting(key)
    is_fixed = acting.is_elsewhere() and here.is_for_here(key)
    common: dict[str, Any] = {
        "help": _help(key),
        "disabled": variable is not None or is_fixed,
        "key": f"settings_{key}{unique}",
    }
    if variable:
        label = f"{label} (held by {plain(variable)})"
    elif is_fixed:
        label = f"{label} (changed at the machine itself)"
    kind = info.annotation
    if kind is bool:
        return st.toggle(label, value=value, **common)
    if get_origin(kind) is Literal or kind is WriteMode:
        choices = list(WriteMode) if kind is WriteMode else list(get_args(kind))
        return str(
            st.selectbox(
                label, choices, index=choices.index(value), width=340, **common
            )
        )
    if get_origin(kind) is UnionType or get_origin(kind) is Union:
        # A number, or a word that stands for one.
        text = st.text_input(label, value=str(value), width=220, **common).strip()
        return int(text) if text.isdecimal() else text
    if kind in (int, float):
        return _number(label, kind, info, value, common)
    if get_origin(kind) is tuple:
        lines = st.text_area(
            f"{label} (one a line)",
            value="\n".join(map(str, value)),
            width=520,
            **common,
        )
        return [line.strip() for line in lines.splitlines() if line.strip()]
    return st.text_input(label, value=masking.masked(value), width=520, **common)


def _help(key: str) -> str:
    """What the file says of it, where it stands there, and what goes before that."""
    said = comments.every().get(key, "")
    return plain(
        f"{said} ({key} in the file; the environment variable "
        f"{settings.variable(key)} goes before it.)"
    )


def _number(
    label: str, kind: Any, info: FieldInfo, value: Any, common: dict[str, Any]
) -> Any:
    bounds = {
        name: kind(getattr(limit, name))
        for limit in info.metadata
        for name in ("ge", "le")
        if hasattr(limit, name)
    }
    return st.number_input(
        label,
        value=kind(value),
        min_value=bounds.get("ge", kind(0)),
        max_value=bounds.get("le"),
        step=1 if kind is int else None,
        width=220,
        **common,
    )


def _as_shown(values: BaseModel, key: str) -> Any:
    value = getattr(values, key)
    if isinstance(value, tuple):
        return [str(one) for one in value]
    return str(value) if isinstance(value, WriteMode) else masking.masked(value)
