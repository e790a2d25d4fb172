"""What a request may ask for in its address: filters, order, page.

A parameter that is not known is refused: a misspelt filter would otherwise give
everything, and look like an answer.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tagger.catalogue.questions import Sort, Wanted
from tagger.records import ImageState
from tagger.web.pictures import LARGEST_ID


class Filters(BaseModel):
    """Which photos a request is about; all conditions must hold."""

    model_config = ConfigDict(extra="forbid")

    q: str = Field("", max_length=1000, description="A search, as in docs/QUERY.md.")
    tags: str = Field("", max_length=4000, description="Tag names, by comma.")
    tag: list[str] = Field([], max_length=50, description="A tag with commas in it.")
    folder: int | None = Field(None, ge=1, le=LARGEST_ID)
    state: ImageState | None = None
    month: str | None = Field(None, description="2024-05, or a year, 2024.")

    def wanted(self, sort: Sort = Sort.NEWEST) -> Wanted:
        """The question these filters put to the catalogue."""
        names = [name.strip() for name in self.tags.split(",")]
        return Wanted(
            query=self.q,
            tags=tuple(name for name in (*names, *self.tag) if name),
            folder_id=self.folder,
            state=self.state,
            month=self.month,
            sort=sort,
        )


class PageQuery(BaseModel):
    """A page of a list. `after` is `next` or `previous` of another page."""

    model_config = ConfigDict(extra="forbid")

    after: str | None = Field(None, max_length=2000)
    limit: int = Field(50, ge=1, le=500)


class SearchQuery(Filters, PageQuery):
    """A page of what was found."""


class CompleteQuery(BaseModel):
    """A search being typed, and how many characters stand before the caret."""

    model_config = ConfigDict(extra="forbid")

    q: str = Field("", max_length=1000)
    at: int | None = Field(None, ge=0, le=1000)


class ImagesQuery(SearchQuery):
    """A page of photos in an order."""

    sort: Sort = Sort.NEWEST


class TagsQuery(Filters):
    """How many tags to count."""

    limit: int = Field(50, ge=1, le=1000)


# What browsers are told of each form of a file.
FILE_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "jsonl": "application/x-ndjson",
    "zip": "application/zip",
}


def told_of(*formats: str) -> dict[int | str, dict[str, Any]]:
    """What the documentation says of a route that answers with one of these files."""
    kinds = (FILE_TYPES[format].partition(";")[0] for format in formats)
    return {200: {"content": {kind: {} for kind in kinds}}}


class ExportQuery(Filters):
    """The form of the table. `selection` is a token of photos picked on a screen."""

    selection: str | None = Field(None, max_length=100)
    format: Literal["csv", "parquet", "jsonl", "zip"] = "csv"
    formula_safe: bool = Field(True, description="Whether a CSV guards formulas.")
