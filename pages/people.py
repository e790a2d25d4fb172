"""People: who may sign in, and what each may do."""

import streamlit as st

from pages.parts import person_add, person_card, wording
from tagger import acting
from tagger.acting import Role
from tagger.tracking import signins, tokens, users
from tagger.web import runtime

acting.demand(Role.ADMIN)
app = runtime.current()

st.title("People")

if not users.are_any(app.db):
    person_add.first(app)
    st.stop()

person_add.show(app)
known = users.every(app.db)
shown = tokens.every(app.db)


def _last_use(name: str) -> str:
    times = [one.used_at for one in shown if one.user == name and one.used_at]
    return wording.ago(max(times)) if times else ""


st.dataframe(
    {
        "Name": [user.name for user in known],
        "Role": [user.role.value for user in known],
        "Signed in": [signins.open_of(app.db, user.id) for user in known],
        "Tokens": [sum(one.user == user.name for one in shown) for user in known],
        "Token last used": [_last_use(user.name) for user in known],
        "Password": ["yes" if user.has_password else "no" for user in known],
        "Added": [wording.ago(user.created_at) for user in known],
    },
    column_config={
        "Signed in": st.column_config.NumberColumn(help="Browsers signed in now")
    },
    hide_index=True,
    alt="People who may sign in, with their roles",
    key="people_table",
)
names = {user.id: user.name for user in known}
chosen = st.selectbox(
    "Change",
    list(names),
    format_func=lambda id_: names.get(id_, ""),
    key="people_chosen",
    width=340,
)
for user in known:
    if user.id == chosen:
        person_card.show(app, user)
