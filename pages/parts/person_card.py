"""Person card: one user, and what an admin can change about them."""

import streamlit as st

from pages.parts import password_form, token_form, told, who
from pages.parts.wording import count, plain
from tagger.acting import ABOUT, Role
from tagger.tracking import signins, users
from tagger.tracking.users import User
from tagger.web import account
from tagger.web.runtime import Runtime


def show(app: Runtime, user: User) -> None:
    """The card; each change is carried out at once."""
    with st.container(border=True, key=f"person_{user.id}"):
        st.subheader(plain(user.name), anchor=False)
        st.caption(f"{user.role.capitalize()}: {ABOUT[user.role]}.")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            _role(app, user)
            _sign_out(app, user)
            _remove(app, user)
        _password(app, user)
        token_form.show(app, user, needs=Role.ADMIN)


def _role(app: Runtime, user: User) -> None:
    key = f"person_role_{user.id}"
    st.session_state[key] = user.role
    st.selectbox(
        "Role",
        list(Role),
        key=key,
        width=160,
        on_change=lambda: _set_role(app, user, Role(st.session_state[key])),
    )


def _set_role(app: Runtime, user: User, role: Role) -> None:
    with told.refusals():
        with who.doing("change role", needs=Role.ADMIN, name=user.name, role=role):
            users.set_role(app.db, user.name, role)
        app.people.forget()


def _sign_out(app: Runtime, user: User) -> None:
    there = signins.open_of(app.db, user.id)
    st.button(
        f"End {count(there, 'sign-in')}",
        key=f"person_end_{user.id}",
        disabled=not there,
        on_click=_end,
        args=(app, user),
    )


def _end(app: Runtime, user: User) -> None:
    with told.refusals():
        with who.doing("sign out user", needs=Role.ADMIN, name=user.name):
            signins.end_all(app.db, user.id)
        app.people.forget()


def _password(app: Runtime, user: User) -> None:
    with (
        st.expander("Give another password", key=f"person_password_{user.id}"),
        st.form(f"person_password_form_{user.id}", border=False, clear_on_submit=True),
    ):
        typed, again = password_form.ask(key=f"person_{user.id}")
        st.caption("Whoever is signed in under this name has to sign in anew.")
        wanted = st.form_submit_button("Set it", key=f"person_password_go_{user.id}")
    if wanted:
        with told.refusals():
            with who.doing("set password", needs=Role.ADMIN, name=user.name):
                kept = account.new_password(user.name, typed, again)
                users.set_password(app.db, user.name, kept)
            app.people.forget()
            st.success("The password is another one now.")


def _remove(app: Runtime, user: User) -> None:
    """Removing, after a second click."""
    with st.popover(
        "Remove", icon=":material/person_remove:", key=f"person_remove_{user.id}"
    ):
        st.write(
            plain(user.name) + " is let in no more, and tokens end at once. What they "
            "did stays, and stays in the log."
        )
        st.button(
            "Remove for good",
            key=f"person_gone_{user.id}",
            type="primary",
            on_click=_gone,
            args=(app, user),
        )


def _gone(app: Runtime, user: User) -> None:
    with told.refusals():
        with who.doing("remove user", needs=Role.ADMIN, name=user.name):
            users.remove(app.db, user.name)
        app.people.forget()
