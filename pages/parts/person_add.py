"""Person form: adds somebody who may sign in; the first one is an admin."""

import streamlit as st

from pages.parts import leaving, password_form, told, who
from pages.parts.wording import plain
from tagger.acting import ABOUT, Role
from tagger.tracking import users
from tagger.tracking.users import LONGEST_NAME, User
from tagger.web import account
from tagger.web.runtime import Runtime


def first(app: Runtime) -> None:
    """Sharing explained, and the form for the first admin."""
    st.write(
        "Nobody signs in yet: only who sits at this machine is let in. To share these "
        "photos, add an admin here, who adds the others, and let the app listen on "
        "the network as README says under “Sharing it on a network”."
    )
    st.warning(
        "From then on everyone signs in, also at this machine and in this browser."
    )
    added = _form(app, [Role.ADMIN])
    if added is not None:
        leaving.sign_in(
            f"{added.name} is admin now, and everyone signs in.", key="people_sign_in"
        )
        st.stop()


def show(app: Runtime) -> None:
    """The form for one more."""
    with st.expander("Add somebody", icon=":material/person_add:"):
        added = _form(app, list(Role))
        if added is not None:
            st.success(plain(f"{added.name} may sign in as {added.role}."))


def _form(app: Runtime, roles: list[Role]) -> User | None:
    with st.form("person_add", border=False, clear_on_submit=True):
        name = st.text_input(
            "Name",
            max_chars=LONGEST_NAME,
            key="person_name",
            autocomplete="off",
            width=340,
        )
        role = st.radio(
            "Role",
            roles,
            captions=[ABOUT[role] for role in roles],
            key="person_role",
        )
        typed, again = password_form.ask(key="person")
        wanted = st.form_submit_button("Add", type="primary", key="person_add_go")
    if not wanted:
        return None
    with told.refusals():
        with who.doing("add user", needs=Role.ADMIN, name=name, role=role):
            kept = account.new_password(name, typed, again)
            added = users.add(app.db, name, role=Role(role), password=kept)
        app.people.forget()
        return added
    return None
