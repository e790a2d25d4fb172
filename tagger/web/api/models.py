"""The shapes of the API: what clients send and get, as pydantic models."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tagger.records import WriteMode
from tagger.web.api.fields import LONGEST_PATH, Flag, Id


class Problem(BaseModel):
    """RFC 9457: why a request was not served.

    For a search that cannot be read, `column` says where in `query`, from 1 on, and
    `advice` what would be right. `pointer` shows the place in SQL.
    """

    title: str
    status: int
    detail: str
    query: str | None = None
    column: int | None = None
    advice: str | None = None
    pointer: str | None = None


class Health(BaseModel):
    """The app answers. `proof` shows to a client with a nonce that it is its own."""

    status: Literal["ok"] = "ok"
    version: str
    proof: str | None = None


class ServerOut(BaseModel):
    """One model server as the tagger last saw it."""

    url: str
    kind: str
    model: str
    usable: bool
    problem: str | None
    busy: int
    answered: int
    places: int
    photos_a_minute: float | None
    median_s: float | None
    median_wait_s: float | None
    tokens_in: int
    tokens_out: int
    name: str
    is_open: bool


class StatusOut(BaseModel):
    """Where the tagger stands, and what every screen should say."""

    state: str
    message: str | None
    backend: str | None
    paused_at: str | None
    new: int
    queued: int
    working: int
    tagged: int
    review: int
    not_written: int
    failed: int
    missing: int
    total: int
    photos_a_minute: float | None
    eta_s: float | None
    eta_basis: str | None
    seen_at: str | None
    servers: list[ServerOut]
    notices: list[str] = []


class TagOut(BaseModel):
    """A tag of an image."""

    id: int
    name: str


class TagCountOut(BaseModel):
    """A tag, and how many photos carry it."""

    id: int
    name: str
    count: int


class SaidTag(TagOut):
    """A tag with who said it: `file`, `person`, or the model's name."""

    source: str
    score: float | None


class ImageOut(BaseModel):
    """One photo in a list."""

    id: int
    name: str
    path: str
    folder_id: int
    description: str | None
    tags: list[TagOut]
    state: str
    taken_at: str | None
    width_px: int | None
    height_px: int | None
    thumbnail: str | None


class ImagePage(BaseModel):
    """Some photos, and the cursors of the pages after and before them.

    `query` is the one answered: where that asked for found nothing, the nearest.
    """

    query: str
    images: list[ImageOut]
    total: int
    next: str | None
    previous: str | None


class OptionOut(BaseModel):
    """Text that may stand in a search, and what it finds."""

    text: str
    means: str
    goes_on: bool


class CompletionOut(BaseModel):
    """What could stand at the caret, for the characters from `start` to `end`."""

    start: int
    end: int
    options: list[OptionOut]


class CostOut(BaseModel):
    """What a photo took the last time, in seconds a step, and in tokens."""

    looking_s: float
    waiting_s: float
    asking_s: float
    writing_s: float
    tokens_in: int | None
    tokens_out: int | None


class ImageDetail(BaseModel):
    """Everything known of one photo."""

    id: int
    name: str
    path: str
    folder_id: int
    state: str
    reason: str | None
    description: str | None
    description_source: str | None
    text: str | None
    tags: list[SaidTag]
    format: str | None
    size_bytes: int
    width_px: int | None
    height_px: int | None
    quality: int | None
    rating: int | None
    taken_at: str | None
    camera: str | None
    lens: str | None
    gps: tuple[float, float] | None
    model: str | None
    backend: str | None
    server: str | None
    seconds: float | None
    cost: CostOut | None
    answered_at: str | None
    added_at: str
    written_mode: str | None
    written_at: str | None
    thumbnail: str | None
    original: str


class WatchingOut(BaseModel):
    """How changes come to be known: `watched` of so many folders give a sign at once.

    The others are looked through now and then; `note` says why and how often.
    """

    watched: int
    of: int
    note: str | None


class FolderOut(BaseModel):
    """A folder somebody added. `offline` says why it cannot be reached now.

    `mirror` is where its sidecars are, if `write_mode` is `mirror`. Its own `hours` and
    `scan_interval_min` are null where it goes by the settings. `watching` is null while
    no tagger watches it. With `review` answers are written only once a person
    has accepted them.
    """

    id: int
    path: str
    recursive: bool
    active: bool
    write_mode: WriteMode
    mirror: str | None
    added_at: str
    last_scan_at: str | None
    offline: str | None
    servers: list[str] | None
    hours: str | None
    scan_interval_min: float | None
    review: bool
    watching: WatchingOut | None = None


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FolderIn(_In):
    """A folder to add; without `write_mode` the one of the settings.

    `mirror` is a folder for its sidecars, in mirror mode, other than the common one.
    Without `review` answers wait for a person if they do so in the folder around it.
    """

    path: str = Field(min_length=1, max_length=LONGEST_PATH)
    recursive: Flag = True
    active: Flag = True
    write_mode: WriteMode | None = None
    mirror: str | None = Field(None, min_length=1, max_length=LONGEST_PATH)
    review: Flag | None = None


class ModeIn(_In):
    """Where a folder's words are to be written from now on, and when.

    What is null stays as it is; an empty `mirror` goes back to the common one. With
    `review` answers wait for a person; those that wait when it is switched off go on.
    """

    write_mode: WriteMode | None = None
    mirror: str | None = Field(None, max_length=LONGEST_PATH)
    review: Flag | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.write_mode is None and (self.review is None or self.mirror is not None):
            raise ValueError("name a write_mode, with or without a mirror, or review")
        return self


class ActiveIn(_In):
    """Whether the tagger shall watch a folder and work on its photos."""

    active: Flag = True


class ServersIn(_In):
    """The servers a folder's photos may be sent to, by name; null: any."""

    servers: list[Annotated[str, Field(max_length=200)]] | None


class ScheduleIn(_In):
    """When a folder is worked on, and how often it is looked through.

    Empty `hours`, or null minutes: as the settings say. What is left out stays.
    """

    hours: str = Field("", max_length=1000)
    scan_interval_min: Annotated[float, Field(strict=True)] | None = None


class RetryIn(_In):
    """Which failed photos to try again; all of them when none is named."""

    image_ids: list[Id] | None = None


class Count(BaseModel):
    """How many photos an action reached."""

    count: int


class Message(BaseModel):
    """What was done, in a sentence."""

    message: str


class SettingsOut(BaseModel):
    """The settings in force, and which of them an environment variable holds."""

    config: dict[str, Any]
    path: str
    overridden: dict[str, str]


class SettingsIn(_In):
    """Edits: `{section: {key: value}}`; a value of null brings the default back."""

    config: dict[str, Any]


class ServerCheckIn(_In):
    """A model server to test; what is not given is taken from the settings."""

    url: str | None = Field(None, max_length=2000)
    model: str | None = Field(None, max_length=200)
    kind: Literal["ollama", "openai"] | None = None


class ServerCheck(BaseModel):
    """What a test of one model server found; `problem` says what to do about it."""

    url: str
    kind: str
    model: str
    reachable: bool
    has_model: bool
    can_see: bool | None
    usable: bool
    models: list[str]
    version: str | None
    problem: str | None
