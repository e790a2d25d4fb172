"""The screens' frame: navigation, the tagger's progress, and what stands in the way.

This is the script Streamlit runs for every visitor, on every interaction. It is not
`app.py` and its pages are named by absolute path, which is what avoids a flash of
Streamlit's own menu.
"""

from pathlib import Path

import streamlit as st

from pages.parts import progress, standing, told
from tagger.errors import TaggerError
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


chosen = st.navigation(
    {
        "Look": [
            page("dashboard", "Dashboard", "monitoring", default=True),
            page("gallery", "Gallery", "photo_library"),
            page("search", "Search", "search"),
            page("sql", "SQL", "database"),
            page("duplicates", "Duplicates", "difference"),
            page("review", review_title(), "rate_review"),
        ],
        "Manage": [
            page("folders", "Folders", "folder_open"),
            page("tags", "Tags", "sell"),
            page("compare", "Compare models", "balance"),
            page("import_tags", "Import tags", "upload_file"),
            page("settings", "Settings", "tune"),
        ],
    }
)
with told.refusals():
    app = runtime.current()
    progress.show(app.status())
    standing.show(app)
    chosen.run()
