"""Activity: what happened to photos last."""

import streamlit as st

from pages.parts import wording
from tagger.catalogue import questions
from tagger.catalogue.store import Catalogue
from tagger.web import pictures

SHOWN = 8


def show(catalogue: Catalogue) -> None:
    """A short table, the latest first."""
    st.subheader("Last activity", anchor=False)
    st.dataframe(
        [
            {
                "Photo": pictures.thumbnail_url(happened),
                "File": happened.name,
                "State": wording.STATES[happened.state],
                "When": wording.ago(happened.at),
                "What": happened.reason or happened.description or "",
            }
            for happened in questions.recent(catalogue, limit=SHOWN)
        ],
        column_config={
            "Photo": st.column_config.ImageColumn(width="small"),
            "What": st.column_config.TextColumn(width="large"),
        },
        hide_index=True,
        alt="The photos something happened to last",
        key="dashboard_activity",
    )
