"""API: what tags of answers become, and which never appear."""

from typing import Annotated

from fastapi import APIRouter, Query

from tagger.tracking import vocabulary
from tagger.web import runtime
from tagger.web.api.edit_models import (
    BanIn,
    EditOut,
    HowQuery,
    SynonymIn,
    SynonymOut,
    TagQuery,
    WordQuery,
)
from tagger.web.api.edits import out

router = APIRouter(tags=["vocabulary"])

How = Annotated[HowQuery, Query()]


@router.get("/synonyms")
def list_synonyms() -> list[SynonymOut]:
    """The words that become other tags."""
    listed = vocabulary.every_synonym(runtime.current().db)
    return [SynonymOut(word=word, tag=tag) for word, tag in listed]


@router.post("/synonyms")
def add_synonym(wanted: SynonymIn, how: How) -> EditOut:
    """Let a word of answers become another tag."""
    edit = vocabulary.add_synonym(
        runtime.current().db,
        wanted.word,
        wanted.tag,
        past=wanted.past,
        dry_run=how.dry_run,
    )
    return out(edit)


@router.delete("/synonyms")
def remove_synonym(asked: Annotated[WordQuery, Query()]) -> EditOut:
    """Let a word be itself again."""
    db = runtime.current().db
    edit = vocabulary.remove_synonym(
        db, asked.word, past=asked.past, dry_run=asked.dry_run
    )
    return out(edit)


@router.get("/bans")
def list_bans() -> list[str]:
    """The tags no answer shall bring."""
    return vocabulary.every_ban(runtime.current().db)


@router.post("/bans")
def add_ban(wanted: BanIn, how: How) -> EditOut:
    """Have no answer bring a tag any more."""
    db = runtime.current().db
    edit = vocabulary.add_ban(db, wanted.tag, past=wanted.past, dry_run=how.dry_run)
    return out(edit)


@router.delete("/bans")
def remove_ban(asked: Annotated[TagQuery, Query()]) -> EditOut:
    """Allow a tag again."""
    db = runtime.current().db
    edit = vocabulary.remove_ban(db, asked.tag, past=asked.past, dry_run=asked.dry_run)
    return out(edit)
