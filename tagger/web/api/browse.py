"""API: the directories that may be browsed when a folder is added."""

from fastapi import APIRouter
from pydantic import BaseModel

from tagger.errors import shown
from tagger.web import browsing, runtime

router = APIRouter(prefix="/browse", tags=["folders"])


class DirectoryOut(BaseModel):
    """A directory; `at` is its path, percent-encoded, to be asked for or added.

    `problem` says why it cannot be gone into.
    """

    at: str
    name: str
    problem: str | None


class ListingOut(BaseModel):
    """The directories in one, those `above` it, and what is not listed."""

    path: str | None
    above: list[DirectoryOut]
    inside: list[DirectoryOut]
    note: str | None


@router.get("")
def browse(at: str = "") -> ListingOut:
    """The directories in `at`, below `library.roots`; without `at`, those roots."""
    found = browsing.listing(runtime.current().config.library.roots, at)
    return ListingOut(
        path=None if found.path is None else shown(found.path),
        above=[_out(one) for one in found.above],
        inside=[_out(one) for one in found.inside],
        note=found.note,
    )


def _out(one: browsing.Directory) -> DirectoryOut:
    return DirectoryOut(at=one.at, name=one.name, problem=one.problem)
