"""SQL tables: what can be asked, column by column, for whoever writes a question."""

import streamlit as st

from tagger.catalogue.views import VIEWS, View


def show() -> None:
    """Each table folded away, its columns with their types and what they mean."""
    st.subheader("Tables", anchor=False)
    for view in VIEWS:
        with st.expander(f"`{view.name}`"):
            st.caption(view.about)
            _columns(view)


def _columns(view: View) -> None:
    lines = [
        f"- `{column.name}` *{column.kind.lower()}*: {column.means}"
        for column in view.columns
    ]
    st.markdown("\n".join(lines))
