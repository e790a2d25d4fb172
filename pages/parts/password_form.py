"""Password form: a new password, typed twice."""

import streamlit as st

from tagger.passwords import LONGEST, SHORTEST


def ask(*, key: str) -> tuple[str, str]:
    """The two inputs, as part of a form."""
    typed = st.text_input(
        f"New password, {SHORTEST} characters at least",
        type="password",
        key=f"{key}_typed",
        max_chars=LONGEST,
        autocomplete="new-password",
        width=340,
    )
    again = st.text_input(
        "The same once more",
        type="password",
        key=f"{key}_again",
        max_chars=LONGEST,
        autocomplete="new-password",
        width=340,
    )
    return typed, again
