"""The app: Streamlit's screens, the REST API and thumbnails in one process on one port.

`streamlit run app.py` starts it, and so does `python -m tagger serve`, which puts
HOST and PORT of the settings in force. This file only puts the parts together: what
Streamlit alone knows (the address it listens on) is handed to `tagger/web`.
"""

from pathlib import Path

import streamlit as st

from pages.parts import provider
from tagger.web import assembly
from tagger.web.lifespan import Bound, Provider

ROOT = Path(__file__).resolve().parent


def bound() -> Bound:
    """Where Streamlit listens; without an address it listens everywhere."""
    return Bound(
        host=st.get_option("server.address") or "0.0.0.0",
        port=int(st.get_option("server.port")),
    )


# What the first page imports anyway, imported before the first visitor comes.
WARM = ("altair", "pandas", "pyarrow", "streamlit.elements.arrow")

parts = assembly.put_together(
    bound,
    warm=WARM,
    provider=Provider(
        check=provider.check,
        url=provider.url,
        named=provider.named,
        paths=provider.PATHS,
        end=provider.END,
    ),
)

# `streamlit run` looks for a literal `app = st.App(...)`.
app = st.App(
    ROOT / "pages" / "shell.py",
    lifespan=parts.lifespan,
    routes=parts.routes,
    middleware=parts.middleware,
)
