"""The shapes of edits in the API: what clients ask for, and what they are told."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tagger.texts import LONGEST_DESCRIPTION
from tagger.tracking.edits import LONGEST_TAG
from tagger.web.api.fields import Flag, Id
from tagger.web.pictures import LARGEST_ID

Name = Annotated[str, Field(min_length=1, max_length=LONGEST_TAG)]
Names = Annotated[list[Name], Field(max_length=100)]
# What is in files may be longer than what is added here.
KnownNames = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=10_000)]], Field(max_length=100)
]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class HowQuery(_In):
    """With `dry_run` it is told what would be touched, and nothing is changed."""

    dry_run: bool = False


class ListedQuery(HowQuery):
    """With `past` it holds for photos tagged so far as well."""

    past: bool = False


class WordQuery(ListedQuery):
    """Which word is taken off the list."""

    word: Name


class TagQuery(ListedQuery):
    """Which tag is taken off the list."""

    tag: Name


class EditsQuery(_In):
    """Which edits are listed; `before` is the id of the last one seen."""

    limit: int = Field(50, ge=1, le=500)
    before: int | None = Field(None, ge=1, le=LARGEST_ID)
    unfinished: bool = False


class ImageChange(_In):
    """What of one photo's words is changed."""

    description: str | None = Field(None, max_length=LONGEST_DESCRIPTION)
    add_tags: Names = []
    remove_tags: KnownNames = []

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.description is None and not (self.add_tags or self.remove_tags):
            raise ValueError("name a description, add_tags or remove_tags")
        return self


class TagsChange(_In):
    """Which tags photos get and lose: those of these ids, or those a query finds."""

    image_ids: list[Id] | None = Field(None, max_length=1_000_000)
    query: str | None = Field(None, max_length=1000)
    add: Names = []
    remove: KnownNames = []

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.image_ids is None) == (self.query is None):
            raise ValueError("name the photos by image_ids or by a query, not both")
        if not (self.add or self.remove):
            raise ValueError("name tags to add or to remove")
        return self


class TagName(_In):
    """What a tag is to be called."""

    name: Name


class Merge(_In):
    """Tags that become one: another tag, by its id, or a name."""

    tags: list[Id] = Field(min_length=1, max_length=1000)
    into: Id | Name


class SynonymIn(_In):
    """A word of answers, the tag it becomes, and whether for older ones as well."""

    word: Name
    tag: Name
    past: Flag = False


class BanIn(_In):
    """A tag no answer shall bring, and whether older ones lose it as well."""

    tag: Name
    past: Flag = False


class SynonymOut(BaseModel):
    """A word of answers, and the tag it becomes."""

    word: str
    tag: str


class EditOut(BaseModel):
    """What an edit touches: so many photos, of whose files so many change.

    `edit_id` is null if nothing is left to be done: it was only asked, or concerns
    answers to come.
    """

    edit_id: int | None
    photos: int
    files: int


class EditProgress(BaseModel):
    """How far an edit is.

    Of the photos `left` some could not be written so far and are tried again, and some
    are `away`: missing, on a disk that is offline, or in a folder taken out.
    """

    id: int
    kind: str
    detail: dict[str, Any]
    photos: int
    done: int
    left: int
    failed: int
    not_written: int
    away: int
    created_at: str
    finished_at: str | None
