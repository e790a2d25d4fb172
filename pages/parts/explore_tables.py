"""Explore tables: tags that stand together, and what models and prompts come to."""

import streamlit as st

from pages.parts import counted, places, wording
from pages.parts.facets import clause
from tagger.catalogue import insights
from tagger.catalogue.insights import Answering, Pair
from tagger.catalogue.store import Catalogue
from tagger.tracking import corrected
from tagger.tracking.corrected import Corrected
from tagger.web.runtime import Runtime

PAIRS = 60


def together(app: Runtime) -> None:
    """Pairs of tags; a row leads to the photos with both."""
    pairs = _pairs(app.catalogue, counted.state(app.catalogue))
    if not pairs:
        st.caption(
            f"No two tags stand together on {insights.FEWEST_TOGETHER} photos yet."
        )
        return
    event = st.dataframe(
        [
            {
                "Tag": pair.one,
                "And": pair.other,
                "Photos": pair.photos,
                "Of the rarer one": round(pair.share * 100),
                "Times as often": round(pair.lift, 1),
            }
            for pair in pairs
        ],
        hide_index=True,
        alt="Pairs of tags that most photos have",
        on_select="rerun",
        selection_mode="single-row",
        key="dashboard_pairs",
        column_config={
            "Of the rarer one": st.column_config.ProgressColumn(
                format="%d %%", min_value=0, max_value=100
            ),
            "Times as often": st.column_config.NumberColumn(
                format="%.1f",
                help="As by chance, if the two had nothing to do with each other; 1 is "
                "chance.",
            ),
        },
    )
    st.caption(
        f"Of the {insights.PAIRED_TAGS} most frequent tags. Select a row to see the "
        "photos with both."
    )
    rows = [row for row in event.selection.rows if row < len(pairs)]
    if rows:
        pair = pairs[rows[0]]
        places.search(f"{clause(pair.one)} {clause(pair.other)}")


def models(app: Runtime) -> None:
    """One row a model and prompt, with what people changed of it."""
    state = counted.state(app.catalogue)
    found = _answering(app.catalogue, state)
    if not found:
        st.caption("No model has answered yet.")
        return
    by_people = corrected.by_model(app.db)
    st.dataframe(
        [
            _line(one, by_people.get((one.model, one.prompt_version), Corrected()))
            for one in found
        ],
        hide_index=True,
        alt="Models and prompts compared",
        key="dashboard_models_table",
        column_config={
            "Not written": st.column_config.NumberColumn(
                help="Photos with its answer that failed since, or whose file could "
                "not be written. Questions without an answer stand under What needs a "
                "look."
            ),
            "Corrected": st.column_config.TextColumn(
                help="Photos that people took tags of its answer from, or gave others."
            ),
        },
    )
    st.caption(
        "Of the answers photos have now. To compare models on the same photos, see "
        "the page Compare models."
    )


def _line(one: Answering, by_people: Corrected) -> dict[str, object]:
    share = f" ({by_people.photos / one.photos:.0%})" if by_people.photos else ""
    return {
        "Model": one.model,
        "Prompt": one.prompt_version,
        "Photos": one.photos,
        "Tags a photo": f"{one.tags_a_photo:.1f}",
        "Median": "" if one.median_s is None else wording.seconds(one.median_s),
        "Tokens in": f"{one.tokens_in:,}",
        "Tokens out": f"{one.tokens_out:,}",
        "Not written": one.failed,
        "Corrected": f"{by_people.photos:,}{share}",
        "Tags taken out": by_people.taken_out,
        "Tags added": by_people.added,
    }


@st.cache_data(max_entries=5, show_spinner="Counting")
def _pairs(_catalogue: Catalogue, state: counted.State) -> list[Pair]:
    return insights.pairs(_catalogue, limit=PAIRS)


@st.cache_data(max_entries=5, show_spinner="Counting")
def _answering(_catalogue: Catalogue, state: counted.State) -> list[Answering]:
    return insights.answering(_catalogue)
