"""Components: a screen part with a script and a style sheet of its own, beside it.

Their HTML is fixed here; what comes from photos goes through `data` and is put into the
page as text by the script, so a file name or tag is never read as markup.
"""

from pathlib import Path
from typing import Any

import streamlit as st

HERE = Path(__file__).parent


def component(name: str, html: str) -> Any:
    """The mount function of `<name>.js` with `<name>.css`, both in this folder."""
    return st.components.v2.component(
        f"tagger_{name}",
        html=html,
        css=(HERE / f"{name}.css").read_text("utf-8"),
        js=(HERE / f"{name}.js").read_text("utf-8"),
    )
