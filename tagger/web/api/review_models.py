"""The shapes of reviewing in the API: what waits, and what a person decides."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tagger.texts import LONGEST_DESCRIPTION
from tagger.tracking.reviewing import Decision
from tagger.web.api.edit_models import KnownNames, Names
from tagger.web.api.fields import Id
from tagger.web.api.models import SaidTag
from tagger.web.pictures import LARGEST_ID


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ReviewQuery(_In):
    """Which photos that wait are listed; `after` is the `next` of the last page."""

    q: str = Field("", max_length=1000)
    folder_id: int | None = Field(None, ge=1, le=LARGEST_ID)
    after: int = Field(0, ge=0, le=LARGEST_ID)
    limit: int = Field(20, ge=1, le=200)


class WordsOut(BaseModel):
    """Description and tags, with who said each: `file`, `person`, or the model."""

    description: str | None
    description_source: str | None
    tags: list[SaidTag]


class ReviewOut(BaseModel):
    """A photo whose answer waits: its words now, and those it has once accepted.

    `said` is the model's description; where a person's stands, that one stays.
    """

    id: int
    answer: int
    name: str
    path: str
    folder_id: int
    model: str
    answered_at: str
    said: str
    text: str | None
    width_px: int | None
    height_px: int | None
    thumbnail: str | None
    picture: str
    now: WordsOut
    proposed: WordsOut


class ReviewPage(BaseModel):
    """Photos that wait, of so many in all; `next` is where the next page begins."""

    total: int
    photos: list[ReviewOut]
    next: int | None


class DecisionIn(_In):
    """What a person decides of the answer that waits for one photo.

    `answer` is the one they saw. Only `correct` changes words: tags to `add` and to
    `remove`, and a `description` in place of the one proposed.
    """

    image_id: Id
    answer: Id
    decision: Decision
    add: Names = []
    remove: KnownNames = []
    description: str | None = Field(None, max_length=LONGEST_DESCRIPTION)
    undo_within_s: float = Field(0.0, ge=0.0, le=60.0, strict=True)


class DecisionsIn(_In):
    """What is decided of many: photos of these ids, or all that a query finds."""

    decision: Literal["accept", "reject"]
    image_ids: list[Id] | None = Field(None, max_length=1_000_000)
    query: str | None = Field(None, max_length=1000)
    folder_id: Id | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.image_ids is None) == (self.query is None):
            raise ValueError("name the photos by image_ids or by a query, not both")
        if self.image_ids is not None and self.folder_id is not None:
            raise ValueError("a folder_id narrows a query, not image_ids")
        return self
