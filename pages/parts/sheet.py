"""Sheet: what a table of tags would change, and the button that has it changed."""

import streamlit as st

from pages.parts import told, who
from pages.parts.wording import count, plain
from tagger.errors import TaggerError
from tagger.tracking import sheetplan, tagsheet
from tagger.tracking.edits import Edit
from tagger.tracking.sheetplan import SheetPlan
from tagger.web.runtime import Runtime

MOST_LISTED = 1000
_DONE = "import_done"


def show(app: Runtime) -> None:
    """The file, what it would change, and the way to have it so."""
    given = st.file_uploader("CSV file", type=["csv", "tsv", "txt"], key="import_file")
    if done := st.session_state.pop(_DONE, None):
        st.success(plain(done), icon=":material/check:")
    if given is None:
        return
    try:
        planned = sheetplan.plan(app.db, tagsheet.parse(given.getvalue()))
        with who.trying():
            edit = sheetplan.edit(app.db, planned, file=given.name, dry_run=True)
    except TaggerError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    _preview(planned, edit)
    if edit.photos:
        st.button(
            f"Change {count(edit.photos, 'photo')}",
            type="primary",
            key="import_go",
            on_click=_go,
            args=(app, planned, given.name),
        )


def _preview(planned: SheetPlan, edit: Edit) -> None:
    figures = {
        "Rows": planned.rows,
        "Photos to change": edit.photos,
        "Files to change": edit.files,
        "Tags to add": planned.added,
        "Tags to take away": planned.removed,
        "Rows already so": planned.unchanged,
        "Rows left out": len(planned.passed),
    }
    with st.container(horizontal=True, key="import_counts"):
        for name, figure in figures.items():
            st.metric(name, f"{figure:,}", border=True, width=150)
    if not planned.passed:
        return
    st.caption("Left out, because it is not certain which photo is meant:")
    listed = planned.passed[:MOST_LISTED]
    st.dataframe(
        {
            "Line": [one.line for one in listed],
            "Photo": [one.photo for one in listed],
            "Why": [one.reason for one in listed],
        },
        hide_index=True,
        key="import_passed",
    )


def _go(app: Runtime, planned: SheetPlan, name: str) -> None:
    with told.refusals():
        _change(app, planned, name)


def _change(app: Runtime, planned: SheetPlan, name: str) -> None:
    with who.doing("bring in", file=name, rows=planned.rows):
        edit = sheetplan.edit(app.db, planned, file=name)
    app.take()  # so that the screens show it at once
    st.session_state[_DONE] = (
        f"Changed {count(edit.photos, 'photo')}. Their files follow as the tagger "
        "comes to them."
    )
