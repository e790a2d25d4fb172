"""The shapes of `/api/queue`: what clients say of the queue, and hear of it."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tagger.records import ImageState
from tagger.web.api.fields import LONGEST_PATH, Flag, Id


class PlaceOut(BaseModel):
    """A folder with photos that are not worked on yet; `new` ones are in no queue."""

    folder_id: int
    path: str
    active: bool
    offline: str | None
    waiting: int
    new: int


class NextOut(BaseModel):
    """A photo that comes next: wanted `now`, or where photos go `first`."""

    image_id: int
    path: str
    now: bool
    first: bool


class ReasonOut(BaseModel):
    """Photos that are not finished for one kind of reason.

    `kind` names it in a retry; `reason` is what one of them, the `example`, says.
    """

    kind: str
    state: ImageState
    photos: int
    reason: str
    example: str


class QueueOut(BaseModel):
    """The queue: its state, what people want of it, and what comes next."""

    state: str
    message: str | None
    paused_at: str | None
    first: str | None
    order: str
    window: str
    timezone: str
    photos_a_day: int
    waiting: int
    working: int
    new: int
    photos_a_minute: float | None
    eta_s: float | None
    eta_basis: str | None
    folders: list[PlaceOut]
    next: list[NextOut]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PlaceIn(_In):
    """Where: one folder, by its id, or everything at or below a path."""

    folder_id: Id | None = None
    path: str | None = Field(None, min_length=1, max_length=LONGEST_PATH)

    @model_validator(mode="after")
    def _one_of_them(self) -> "PlaceIn":
        if (self.folder_id is None) is (self.path is None):
            raise ValueError("give folder_id or path, one of them")
        return self


class SomeIn(_In):
    """Which photos: those of one place, or `all`."""

    folder_id: Id | None = None
    path: str | None = Field(None, min_length=1, max_length=LONGEST_PATH)
    all: Flag = False

    @model_validator(mode="after")
    def _one_of_them(self) -> "SomeIn":
        if [self.folder_id is not None, self.path is not None, self.all].count(
            True
        ) != 1:
            raise ValueError("give folder_id, path or all, one of them")
        return self


class NowIn(_In):
    """Photos that shall go ahead of everything; `ask_again` where an answer exists.

    `server` is the name of the only one that may be asked again then, this once.
    """

    image_ids: list[Id] = Field(min_length=1, max_length=1000)
    ask_again: Flag = False
    server: str | None = Field(None, max_length=200)

    @model_validator(mode="after")
    def _asks_somebody(self) -> Self:
        if self.server is not None and not self.ask_again:
            raise ValueError("a server is named to be asked again: set ask_again")
        return self


class RetryKindIn(_In):
    """What to try again: these failed photos, one kind of reason, or all failed."""

    image_ids: list[Id] | None = None
    kind: str | None = Field(None, max_length=10_000)

    @model_validator(mode="after")
    def _not_both(self) -> "RetryKindIn":
        if self.image_ids is not None and self.kind is not None:
            raise ValueError("give image_ids or kind, not both")
        return self


class SpentOut(BaseModel):
    """What the photos one server was asked about took, in all."""

    server: str
    model: str
    photos: int
    looking_s: float
    waiting_s: float
    asking_s: float
    writing_s: float
    tokens_in: int
    tokens_out: int
