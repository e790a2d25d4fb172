"""Servers: a card for each model server, with how busy and how fast it is."""

from collections.abc import Sequence

import streamlit as st

from pages.parts import wording
from pages.parts.wording import plain
from tagger.records import ServerReport

CARD_PX = 300


def show(servers: Sequence[ServerReport]) -> None:
    """The cards, side by side; nothing while no tagger runs."""
    if not servers:
        return
    with st.container(horizontal=True, key="servers"):
        for position, server in enumerate(servers):
            with st.container(border=True, width=CARD_PX, key=f"server_{position}"):
                _card(server)


def _card(server: ServerReport) -> None:
    name = "Built-in model" if server.kind == wording.BUILTIN else server.model
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{plain(name)}**", width="stretch")
        if server.problem:
            st.badge("Away", color="red")
        elif server.busy:
            st.badge(f"{server.busy} of {server.places} busy", color="blue")
        else:
            st.badge("Idle", color="gray")
    known = [server.problem] if server.problem else figures(server)
    lines = [place(server), *known]
    st.caption("  \n".join(plain(line) for line in lines if line))


def place(server: ServerReport) -> str:
    """Where it is, and the name that folders are bound to it by, if it has its own."""
    own = server.name not in ("", server.url, wording.BUILTIN)
    return " · ".join(part for part in (server.name if own else "", server.url) if part)


def figures(server: ServerReport) -> list[str]:
    """What is known of its last five minutes, a line each."""
    answered, seconds = [f"{server.answered:,} answered"], []
    if server.photos_a_minute:
        answered.append(f"{wording.rate(server.photos_a_minute)} a minute")
    if server.median_s is not None:
        seconds.append(f"{wording.seconds(server.median_s)} an answer")
    if server.median_wait_s is not None:
        seconds.append(f"{wording.seconds(server.median_wait_s)} wait for a place")
    tokens = [f"{server.tokens_in:,} tokens in", f"{server.tokens_out:,} out"]
    has_tokens = server.tokens_in or server.tokens_out
    return [
        " · ".join(parts)
        for parts in (answered, seconds, tokens if has_tokens else [])
        if parts
    ]
