"""API: questions in SQL, their answers as JSON or as files, and those that were saved.

What is asked comes in the body of a POST, which no page of another origin can send.
"""

from dataclasses import asdict
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

from tagger.catalogue import views
from tagger.catalogue.sqlcheck import LONGEST
from tagger.records import utc_now
from tagger.web import asked, runtime, saved, turns
from tagger.web.api.fields import Flag
from tagger.web.api.queries import FILE_TYPES, told_of

router = APIRouter(prefix="/sql", tags=["sql"])

Format = Literal["csv", "parquet", "jsonl"]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SqlIn(_In):
    """One SELECT; docs/SQL.md describes the tables."""

    sql: str = Field(max_length=LONGEST)


class SqlFileIn(SqlIn):
    """The form of the file, and whether a CSV is guarded against formulas."""

    format: Format = "csv"
    formula_safe: Flag = True


class SavedIn(SqlIn):
    """A question and what it is to be called."""

    name: str = Field(min_length=1, max_length=saved.LONGEST_NAME)


class SavedOut(BaseModel):
    """A saved question."""

    name: str
    sql: str


class ColumnOut(BaseModel):
    """A column of an answer, and its type."""

    name: str
    kind: str


class SqlOut(BaseModel):
    """An answer. `cut`: there is more, which `catalogue.sql_rows` left out."""

    columns: list[ColumnOut]
    rows: list[list[Any]]
    cut: bool
    seconds: float


class ViewColumnOut(ColumnOut):
    """A column that can be asked for."""

    means: str


class ViewOut(BaseModel):
    """A table that can be asked."""

    name: str
    about: str
    columns: list[ViewColumnOut]


@router.post("", response_model=SqlOut)
async def ask(wanted: SqlIn, request: Request) -> Response:
    """Ask the catalogue, read-only."""
    async with turns.QUESTIONS.turn(turns.who(request.scope)):
        return await turns.apart(partial(_answer, wanted.sql))


def _answer(text: str) -> Response:
    """As the bytes that are sent: to make them of many rows takes long, too."""
    found = SqlOut.model_validate(asdict(asked.answer(runtime.current(), text)))
    return Response(found.model_dump_json(), media_type="application/json")


@router.post(
    "/file",
    response_class=StreamingResponse,
    responses=told_of("csv", "parquet", "jsonl"),
)
async def ask_for_file(wanted: SqlFileIn, request: Request) -> Response:
    """The answer as a file. `X-Full: 1`: it has all the rows a file may have."""
    key, safe = turns.who(request.scope), wanted.formula_safe
    return await _file(key, wanted.sql, wanted.format, formula_safe=safe)


@router.get("/file/{token}", include_in_schema=False)
async def read_file(token: str, request: Request, format: Format = "csv") -> Response:
    """The answer to a question that a page of ours handed out as a link."""
    text = runtime.current().sql_links.text(token)
    if text is None:
        raise HTTPException(
            HTTPStatus.NOT_FOUND, "This link is not known any more; ask once more."
        )
    return await _file(turns.who(request.scope), text, format, formula_safe=True)


@router.get("/views")
def list_views() -> list[ViewOut]:
    """The tables that can be asked, column by column."""
    return [ViewOut.model_validate(asdict(view)) for view in views.VIEWS]


@router.get("/saved")
def list_saved() -> list[SavedOut]:
    """The saved questions, by name."""
    known = saved.every(runtime.current().config.data_dir)
    return [SavedOut.model_validate(asdict(one)) for one in known]


@router.put("/saved")
def save(wanted: SavedIn) -> SavedOut:
    """Keep a question under a name; one that had it gives way."""
    data_dir = runtime.current().config.data_dir
    kept = saved.save(data_dir, wanted.name, wanted.sql)
    return SavedOut.model_validate(asdict(kept))


@router.delete("/saved", status_code=HTTPStatus.NO_CONTENT)
def remove(name: Annotated[str, Query(max_length=1000)]) -> None:
    """Forget a saved question."""
    saved.remove(runtime.current().config.data_dir, name)


async def _file(key: str, text: str, format: Format, *, formula_safe: bool) -> Response:
    """The turn is over when the file, which takes room until then, is sent."""
    make = partial(
        asked.file, runtime.current(), text, format, formula_safe=formula_safe
    )
    await turns.QUESTIONS.take(key)
    try:
        written = await turns.apart(make)
    except BaseException:
        turns.QUESTIONS.give(key)
        raise
    name = f"image-tagger-sql-{utc_now()[:10]}.{format}"
    return turns.Pieces(
        written.pieces,
        done=partial(turns.QUESTIONS.give, key),
        media_type=FILE_TYPES[format],
        headers={
            "content-disposition": f'attachment; filename="{name}"',
            "x-full": str(int(written.full)),
        },
    )
