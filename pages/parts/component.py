"""Components: a screen part with a script and a style sheet of its own, beside it.

Their HTML is fixed here; what comes from photos goes through `data` and is put into the
page as text by the script, so a file name or tag is never read as markup.
"""

from pathlib import Path
from typing import Any

import streamlit as st

HERE = Path(__file__).parent


def component(name: str, html: str, *more: str) -> Any:
    """The mount function of `<name>.js` with `<name>.css`, both in this folder.

    `more` are scripts that are parts of the first; the browser gets them as one.
    """
    return st.components.v2.component(
        f"tagger_{name}",
        html=html,
        css=(HERE / f"{name}.css").read_text("utf-8"),
        js=script(name, *more),
    )


def script(name: str, *more: str) -> str:
    """The scripts of a component as one."""
    return "\n".join((HERE / f"{part}.js").read_text("utf-8") for part in (name, *more))
