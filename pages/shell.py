"""The screens' frame: navigation, the tagger's progress, and what stands in the way.

This is the script Streamlit runs for every visitor, on every interaction. It is not
`app.py` and its pages are named by absolute path, which is what avoids a flash of
Streamlit's own menu. Pages on which somebody's role has nothing to do are not in it.
"""

from pathlib import Path

import streamlit as st

from pages.parts import leaving, progress, standing, told, who
from tagger.acting import Person, Role
from tagger.errors import Forbidden, TaggerError
from tagger.web import runtime

PAGES = Path(__file__).resolve().parent
ICON = PAGES / "static" / "icon.svg"

st.set_page_config(page_title="Image Tagger", page_icon=str(ICON), layout="wide")
st.logo(str(PAGES / "static" / "logo.svg"), icon_image=str(ICON), size="large")


def page(name: str, title: str, icon: str, *, default: bool = False) -> st.Page:
    return st.Page(
        PAGES / f"{name}.py", title=title, icon=f":material/{icon}:", default=default
    )


def review_title() -> str:
    """The page's name with how many photos wait there."""
    try:
        waiting = runtime.current().status().review
    except TaggerError:  # said below, where there is a page to say it on
        waiting = 0
    return f"Review ({waiting:,})" if waiting else "Review"


def navigation(someone: Person | None) -> dict[str, list[st.Page]]:
    """The pages for whoever has this screen open."""
    role = Role.ADMIN if someone is None else someone.role
    is_editor, is_admin = role.includes(Role.EDITOR), role.includes(Role.ADMIN)
    look = [
        page("dashboard", "Dashboard", "monitoring", default=True),
        page("gallery", "Gallery", "photo_library"),
        page("search", "Search", "search"),
        page("sql", "SQL", "database"),
        page("duplicates", "Duplicates", "difference"),
    ]
    manage = [page("folders", "Folders", "folder_open"), page("tags", "Tags", "sell")]
    if is_editor:
        look.append(page("review", review_title(), "rate_review"))
        manage += [
            page("compare", "Compare models", "balance"),
            page("import_tags", "Import tags", "upload_file"),
        ]
    if is_admin:
        manage.append(page("settings", "Settings", "tune"))
    people = [page("account", "Account", "person")] if who.is_signed_in() else []
    if is_admin:
        people += [page("people", "People", "group"), page("audit", "Audit", "history")]
    return {"Look": look, "Manage": manage, **({"People": people} if people else {})}


try:
    visitor = who.person()
    who.leave_nothing_of_another(visitor)
    chosen = st.navigation(navigation(visitor), expanded=True)
except Forbidden:
    leaving.sign_in("You are signed out.", key="shell_signed_out")
    st.stop()

with told.refusals():
    app = runtime.current()
    progress.show(app.status())
    if visitor is not None and who.is_signed_in():
        with st.sidebar:
            name = f"Signed in as {visitor.name} ({visitor.role})"
            leaving.sign_out(f"{name} ·", key="shell_signed_in")
    standing.show(app)
    chosen.run()
