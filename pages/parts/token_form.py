"""Token form: what programs of one user show, to be made and to be taken away.

A token is told once, right after it was made, and is kept nowhere on the screen.
"""

import streamlit as st

from pages.parts import told, who
from pages.parts.wording import ago, plain
from tagger.acting import Role
from tagger.tracking import tokens
from tagger.tracking.tokens import LONGEST_NAME, MOST_DAYS, Token
from tagger.tracking.users import User
from tagger.web.runtime import Runtime

USUAL_DAYS = 90


def show(app: Runtime, user: User, *, needs: Role) -> None:
    """The form and the list; `needs` is the role of who may change them here."""
    st.subheader("Tokens", anchor=False)
    st.caption(
        "A program shows one to the API instead of signing in, in the header "
        "Authorization, after the word Bearer."
    )
    _form(app, user, needs)
    for one in tokens.every(app.db, user.name):
        _entry(app, one, needs)


def _form(app: Runtime, user: User, needs: Role) -> None:
    with (
        st.form("token_make", border=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        name = st.text_input(
            "What it is for", max_chars=LONGEST_NAME, key="token_name", width=220
        )
        days = st.number_input(
            "Days", 1, MOST_DAYS, USUAL_DAYS, key="token_days", width=120
        )
        role = st.selectbox(
            "May do as a",
            [role for role in Role if user.role.includes(role)],
            key=f"token_role_{user.id}_{user.role}",
            width=140,
        )
        wanted = st.form_submit_button("Make a token", key="token_make_go")
    if wanted:
        with told.refusals():
            detail = {"user": user.name, "name": name, "days": days, "role": role}
            with who.doing("make token", needs=needs, **detail):
                secret = tokens.make(
                    app.db, user.name, name, role=Role(role), days=days
                )[1]
            app.people.forget()
            st.success("Made. Copy it now; it is not shown again.")
            st.code(secret, language=None, wrap_lines=True)


def _entry(app: Runtime, one: Token, needs: Role) -> None:
    used = f"last used {ago(one.used_at)}" if one.used_at else "not used yet"
    ends = "over" if one.is_over else f"until {one.ends_at[:10]}"
    with st.container(
        horizontal=True,
        horizontal_alignment="distribute",
        vertical_alignment="center",
        key=f"token_{one.id}",
    ):
        st.markdown(
            f"**{plain(one.name)}** as {one.role}, {ends}, {used}", width="content"
        )
        st.button(
            "Revoke",
            key=f"token_revoke_{one.id}",
            on_click=_revoke,
            args=(app, one, needs),
        )


def _revoke(app: Runtime, one: Token, needs: Role) -> None:
    with told.refusals():
        detail = {"token_id": one.id, "user": one.user, "name": one.name}
        with who.doing("revoke token", needs=needs, **detail):
            tokens.revoke(app.db, one.id, user=one.user)
        app.people.forget()
