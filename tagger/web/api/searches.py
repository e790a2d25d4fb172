"""API: searches that were given a name."""

from http import HTTPStatus

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from tagger.web import runtime, saved, searches
from tagger.web.searches import Search

router = APIRouter(prefix="/searches", tags=["images"])


class SearchBody(BaseModel):
    """A saved search: a query, and an order of what it finds (empty: the usual)."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=saved.LONGEST_NAME)
    query: str = Field(min_length=1, max_length=searches.LONGEST_QUERY)
    sort: str = Field("", max_length=100)


class RenameIn(BaseModel):
    """What a search is to be called."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=1000)
    to: str = Field(min_length=1, max_length=saved.LONGEST_NAME)


@router.get("")
def list_searches() -> list[SearchBody]:
    """The saved searches, by name."""
    return [_out(one) for one in searches.every(runtime.current().config.data_dir)]


@router.put("")
def save(wanted: SearchBody) -> SearchBody:
    """Keep a search under a name; one that had the name gives way."""
    data_dir = runtime.current().config.data_dir
    return _out(searches.save(data_dir, wanted.name, wanted.query, wanted.sort))


@router.post("/rename")
def rename(wanted: RenameIn) -> SearchBody:
    """Call a search otherwise."""
    data_dir = runtime.current().config.data_dir
    return _out(searches.rename(data_dir, wanted.name, wanted.to))


@router.delete("", status_code=HTTPStatus.NO_CONTENT)
def remove(name: str) -> None:
    """Forget a search."""
    searches.remove(runtime.current().config.data_dir, name)


def _out(one: Search) -> SearchBody:
    return SearchBody(name=one.name, query=one.query, sort=one.sort)
