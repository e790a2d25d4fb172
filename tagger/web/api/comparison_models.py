"""What the API says, and is told, of comparisons."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from tagger.tracking.comparisons import (
    FEW_PHOTOS,
    LONGEST_INSTRUCTION,
    MOST_CONTENDERS,
    MOST_PHOTOS,
)
from tagger.tracking.contested import Outcome, State
from tagger.web.api.fields import Flag, Id


class ContenderIn(BaseModel):
    """Somebody to be asked. What is left out is as in the settings."""

    model_config = ConfigDict(extra="forbid")

    server: str = Field(max_length=200, description="Its name, or `builtin`.")
    model: str = Field("", max_length=200)
    language: str | None = Field(None, max_length=100)
    tags_min: int | None = Field(None, ge=0, le=50, strict=True)
    tags_max: int | None = Field(None, ge=1, le=100, strict=True)
    extra_instruction: str | None = Field(None, max_length=LONGEST_INSTRUCTION)


class ComparisonIn(BaseModel):
    """Which photos, by id or as a sample of a query, and who is asked."""

    model_config = ConfigDict(extra="forbid")

    contenders: list[ContenderIn] = Field(min_length=2, max_length=MOST_CONTENDERS)
    image_ids: list[Id] = Field([], max_length=MOST_PHOTOS)
    query: str = Field("", max_length=1000, description="As in docs/QUERY.md.")
    count: int = Field(FEW_PHOTOS, ge=1, le=MOST_PHOTOS, strict=True)


class ContenderOut(BaseModel):
    """Who is asked, and what."""

    id: int
    server: str
    model: str
    language: str
    tags_min: int
    tags_max: int
    extra_instruction: str


class ComparisonOut(BaseModel):
    """A comparison, and how far it is."""

    id: int
    name: str
    state: State
    running: bool
    image_ids: list[int]
    contenders: list[ContenderOut]
    questions: int
    answered: int
    failed: int
    chosen: int
    created_at: str
    ended_at: str | None


class AnswerOut(BaseModel):
    """What one contender said of one photo, or the reason why it said nothing."""

    contender: int
    image_id: int
    outcome: Outcome
    reason: str | None
    description: str | None
    text: str | None
    tags: list[str]
    seconds: float | None
    tokens_in: int | None
    tokens_out: int | None


class ChoiceOut(BaseModel):
    """What was chosen for a photo: a contender's id, `tie` or `neither`."""

    image_id: int
    choice: int | Literal["tie", "neither"]
    blind: bool


class ScoreOut(BaseModel):
    """One contender in numbers; `agreement` is with the tags photos have now."""

    contender: int
    answered: int
    invalid: int
    failed: int
    withheld: int
    tags_a_photo: float | None
    median_s: float | None
    tokens_in: int
    tokens_out: int
    wins: int
    win_rate: float | None
    agreement: float | None


class PairOut(BaseModel):
    """Mean share of tags two contenders have in common, over photos both answered."""

    contenders: tuple[int, int]
    agreement: float
    photos: int


class ResultOut(BaseModel):
    """What the comparison comes to."""

    scores: list[ScoreOut]
    pairs: list[PairOut]
    decided: int
    ties: int
    neither: int
    winner: int | None


class WholeOut(ComparisonOut):
    """A comparison with all its answers and choices."""

    answers: list[AnswerOut]
    choices: list[ChoiceOut]
    result: ResultOut


class ChoiceIn(BaseModel):
    """The better one, by its id, or `tie` or `neither`; `blind`: names were hidden."""

    model_config = ConfigDict(extra="forbid")

    choice: Id | Literal["tie", "neither"]
    blind: Flag = False


class SettingIn(BaseModel):
    """The contender that becomes the setting."""

    model_config = ConfigDict(extra="forbid")

    contender: Id
