"""API: a table of photos and tags from a spreadsheet, brought in as one edit."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from tagger.tracking import sheetplan, tagsheet
from tagger.web import runtime
from tagger.web.api.edit_models import EditOut, HowQuery

router = APIRouter(tags=["edits"])


class SheetIn(BaseModel):
    """The text of a CSV file: columns id or path, and tags, or add and remove."""

    model_config = ConfigDict(extra="forbid")

    csv: str = Field(max_length=tagsheet.LONGEST_BYTES)


class PassedOut(BaseModel):
    """A row that is left out, and why."""

    line: int
    photo: str
    reason: str


class SheetOut(EditOut):
    """What it touches: tags that photos get and lose, and rows that do nothing."""

    rows: int
    added: int
    removed: int
    unchanged: int
    passed: list[PassedOut]


@router.post("/edits/import")
def bring_in(wanted: SheetIn, how: Annotated[HowQuery, Query()]) -> SheetOut:
    """Change the tags of photos as a table says."""
    db = runtime.current().db
    rows = tagsheet.parse(wanted.csv.encode("utf-8", "replace"))
    planned = sheetplan.plan(db, rows)
    edit = sheetplan.edit(db, planned, dry_run=how.dry_run)
    return SheetOut(
        edit_id=edit.id,
        photos=edit.photos,
        files=edit.files,
        rows=planned.rows,
        added=planned.added,
        removed=planned.removed,
        unchanged=planned.unchanged,
        passed=[
            PassedOut(line=one.line, photo=one.photo, reason=one.reason)
            for one in planned.passed
        ],
    )
