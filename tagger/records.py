"""What the rooms hand to each other: frozen records, no logic beyond a field or two.

Paths are `bytes` as the operating system gives them, because a file name need not be
UTF-8; `errors.shown` turns one into text for people. Times are UTC, ISO 8601 with a
trailing `Z`, except `taken_at`, which is the camera's wall clock and has no zone.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum


def utc_now() -> str:
    """The present as UTC ISO 8601 with milliseconds: `2026-11-22T10:00:00.000Z`."""
    now = datetime.now(UTC)
    return now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z"


def iso(seconds: float) -> str:
    """A time in seconds since the epoch, as `utc_now` writes it."""
    at = datetime.fromtimestamp(seconds, UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


# The most stars a photo can have, and the rating of one that was put aside.
STARS = 5
REJECTED = -1


class WriteMode(StrEnum):
    """Where a folder's words go besides the catalogue."""

    FILE = "file"
    SIDECAR = "sidecar"
    MIRROR = "mirror"  # a sidecar in a tree of its own, which follows the photos'
    NONE = "none"


class Changed(StrEnum):
    """What an undo does with a field that somebody changed after our write.

    It is left and named; or left for good, as that person's; or put back all the same,
    which takes only ours out of a list of keywords.
    """

    REFUSE = "refuse"
    KEEP = "keep"
    OVERWRITE = "overwrite"


class ImageState(StrEnum):
    """What stands with one photo, as screens show it."""

    NEW = "new"  # found, not yet looked at
    QUEUED = "queued"  # waits for the tagger, or is being worked on
    TAGGED = "tagged"  # has an answer, and the words are where they should be
    REVIEW = "review"  # its answer waits for a person, and is not used before that
    NOT_WRITTEN = "not written"  # has an answer; the words could not be written yet
    FAILED = "failed"  # cannot be finished; the reason says why
    MISSING = "missing"  # the file is gone


@dataclass(frozen=True, slots=True)
class StatKey:
    """What tells that a file is untouched: any change of it moves one of these."""

    dev: int
    ino: int
    size_bytes: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, stat: os.stat_result) -> "StatKey":
        return cls(
            stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the file itself says of the photo, besides words.

    `width_px` and `height_px` are as displayed, after `orientation` (EXIF 1 to 8) is
    applied. `taken_at` is local time without zone, `YYYY-MM-DDTHH:MM:SS`. `gps` is
    (latitude, longitude) in degrees, south and west negative.
    """

    format: str
    width_px: int
    height_px: int
    orientation: int = 1
    frames: int = 1
    taken_at: str | None = None
    camera: str | None = None
    lens: str | None = None
    gps: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Who said a file's words, as the file itself tells, when they were last written.

    `tags` and `description` are the answer's, as they stand in the file; `tagged_at`
    is when the model gave it. Without an answer `model` is empty. `found_tags` are
    keywords that stood in the file, `edited_tags` what a person added in the program,
    `removed_tags` what a person took out anywhere, `edited_description` the one given
    in the program.
    """

    program: str
    model: str
    prompt_version: str
    tagged_at: str
    tags: tuple[str, ...] = ()
    description: str | None = None
    found_tags: tuple[str, ...] = ()
    edited_tags: tuple[str, ...] = ()
    removed_tags: tuple[str, ...] = ()
    edited_description: str | None = None

    @property
    def listed(self) -> tuple[str, ...]:
        """Every word that stood in the file when this was written."""
        return (*self.tags, *self.found_tags, *self.edited_tags)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceWords:
    """The words that stand in one of a photo's files."""

    description: str | None = None
    tags: tuple[str, ...] = ()
    is_said: bool = False  # whether it says who said them
    in_trees: tuple[str, ...] = ()  # those that are leaves of a tree


@dataclass(frozen=True, slots=True, kw_only=True)
class FileWords:
    """The words that stand in a file and its sidecars now, each once.

    `provenance` is what an Image Tagger, this one or another, left in the file of
    where its words come from; None if there is nothing of the kind. `leftovers` are
    words that somebody took out of a file and that stand in some of its fields yet,
    `leftover_description` is one of the same kind. `in_photo` and `sidecars`, by path,
    say what stands where. A sidecar that is `damaged` is there but cannot be read: what
    it held is not known, rather than gone. `rating` is 1 to `STARS`, or `REJECTED`.
    """

    description: str | None = None
    tags: tuple[str, ...] = ()
    leftovers: tuple[str, ...] = ()
    leftover_description: str | None = None
    provenance: Provenance | None = None
    in_photo: PlaceWords = field(default=PlaceWords(), compare=False)
    sidecars: Mapping[bytes, PlaceWords] = field(default_factory=dict, compare=False)
    damaged: tuple[bytes, ...] = field(default=(), compare=False)
    rating: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag of an answer; `score` is 0 to 1 where the model gives one."""

    name: str
    score: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a model said of one picture.

    `tags` are lower case, without duplicates, in the model's order. `text` is writing
    seen in the picture. `prompt_version` is the hash of the prompt, or the version of
    the built-in model's tables. `seconds` is the whole request, retries not counted.
    """

    description: str
    tags: tuple[Tag, ...]
    text: str | None = None
    backend: str
    model: str
    prompt_version: str
    server: str = ""
    seconds: float = 0.0
    tokens_in: int | None = None
    tokens_out: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerState:
    """What a check of one model server found; `problem` says what to do about it."""

    url: str
    kind: str
    model: str
    reachable: bool
    has_model: bool = False
    can_see: bool | None = None
    models: tuple[str, ...] = ()
    version: str | None = None
    problem: str | None = None

    @property
    def usable(self) -> bool:
        return self.reachable and self.has_model and self.can_see is not False


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedWords:
    """What a write shall achieve in one file.

    `tags` are to be there afterwards, besides every keyword of the person's. `retired`
    are tags an earlier write of ours added and nobody else said: they may go, as they
    are spelt. `refused` are words a person took out, in the program or outside: they
    go whoever wrote them, in any spelling and out of any tree; where another word took
    a refused one's place, `renamed` says so, by its `same` form.
    `own_description` is the one an earlier write of ours left; if the file still has
    exactly that, it may be replaced, any other is the person's. `by_person` says that a
    person gave the description in the program: it replaces any. `provenance` is put
    into the file too; None leaves what stands there. `result_id` is the answer that all
    this comes from, if there is one.
    """

    description: str
    tags: tuple[str, ...]
    retired: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    own_description: str | None = None
    by_person: bool = False
    provenance: Provenance | None = None
    result_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What is about to replace a file; made durable before the replace happens.

    `before` and `intended` map ExifTool field names (`XMP-dc:Subject`) to the values
    they held and will hold; a field that did not exist has an empty tuple. `expect` is
    the stat key of the target (None: it does not exist yet, a new sidecar),
    `after_hash` the BLAKE3 of the finished temporary file, whole file, hex. Of a photo
    `after_size_bytes` and `after_mtime_ns` are that file's, too; a sidecar has none.
    `copied_tags` are the person's that a sidecar gets from the photo.

    Only of an undo: `left` are the fields of the write it leaves standing, each with a
    clause saying why, and `words` what photo and sidecar will hold.
    """

    target: bytes
    mode: WriteMode
    expect: StatKey | None
    before: dict[str, tuple[str, ...]]
    intended: dict[str, tuple[str, ...]]
    added_tags: tuple[str, ...]
    wrote_description: str | None
    after_hash: str
    after_size_bytes: int | None = None
    after_mtime_ns: int | None = None
    copied_tags: tuple[str, ...] = ()
    left: Mapping[str, str] = field(default_factory=dict)
    words: FileWords | None = None


# Why an undo leaves a field, where nobody is asked to decide anything: once the later
# write that stands on it is undone, it goes back by itself.
WAITS = "a later write stands on it"
STAYS = "it belongs to a block that is needed yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The outcome of a write that succeeded.

    `changed` is False when the words already stood there and no byte was touched.
    `note` says why a sidecar was used although the folder asks for the file itself.
    `cleaned` is an older sidecar that retired words of ours were taken out of besides,
    by a write of its own with an intent of its own; `cleaned_stat` is its stat key.
    """

    target: bytes
    mode: WriteMode
    changed: bool
    stat: StatKey | None
    words: FileWords
    added_tags: tuple[str, ...] = ()
    wrote_description: str | None = None
    note: str | None = None
    cleaned: bytes | None = None
    cleaned_stat: StatKey | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder the user added. `offline` says why its photos cannot be reached now.

    `mirror` is where its sidecars go in mirror mode, if not below the common mirror.
    `servers` are those its photos may be sent to, by name; None leaves that open.
    `hours` and `scan_interval_min` are its own; None goes by the settings.
    With `review` answers are not used before a person has accepted them.
    """

    id: int
    path: bytes
    recursive: bool
    active: bool
    write_mode: WriteMode
    added_at: str
    last_scan_at: str | None = None
    offline: str | None = None
    mirror: bytes | None = None
    servers: tuple[str, ...] | None = None
    hours: str | None = None
    scan_interval_min: float | None = None
    review: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """How a folder's changes come to be known.

    `watched` of its folders, `of` so many, give a sign at once; the others are looked
    through now and then, and `note` says why and how often.
    """

    watched: int = 0
    of: int = 0
    note: str | None = None


@dataclass(frozen=True, slots=True)
class ImageTag:
    """A tag on an image, with who said it: `file`, `person`, or the model's name."""

    tag_id: int
    name: str
    source: str
    score: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSnapshot:
    """One image as the tracking database knows it now; what the catalogue stores."""

    id: int
    folder_id: int
    path: bytes
    size_bytes: int
    added_at: str
    state: ImageState
    reason: str | None = None
    identity: str | None = None
    dhash: int | None = None
    quality: int | None = None
    rating: int | None = None
    facts: Facts | None = None
    description: str | None = None
    description_source: str | None = None
    text: str | None = None
    tags: tuple[ImageTag, ...] = ()
    backend: str | None = None
    model: str | None = None
    prompt_version: str | None = None
    server: str | None = None
    seconds: float | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    answered_at: str | None = None
    written_mode: WriteMode | None = None
    written_at: str | None = None

    @property
    def shown_path(self) -> str:
        return self.path.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A numbered change. `kind` is `image`, `folder` or `tag`; `subject_id` its id."""

    number: int
    kind: str
    subject_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one photo took, in seconds a step, and in tokens.

    `waiting_s` is for a free place at a server, `asking_s` how long it held that place,
    at `asked_at` seconds since the epoch; None where no model was asked.
    """

    looking_s: float = 0.0
    waiting_s: float = 0.0
    asking_s: float = 0.0
    writing_s: float = 0.0
    server: str | None = None
    model: str | None = None
    asked_at: float | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerReport:
    """One model server as the tagger last saw it.

    It is asked about `places` photos at a time, and `busy` of them are taken. `is_open`
    says that it takes photos of folders that are bound to none. The pace, the medians
    and the tokens are those of the last five minutes.
    """

    url: str
    kind: str
    model: str
    usable: bool
    problem: str | None = None
    busy: int = 0
    answered: int = 0
    places: int = 0
    photos_a_minute: float | None = None
    median_s: float | None = None
    median_wait_s: float | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    name: str = ""
    is_open: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Where the tagger stands; what `status`, `/api/status` and the sidebar show.

    `state` is `stopped`, `idle`, `working`, `waiting` or `paused`; `message` says what
    it waits for. `paused_at` is when a person paused the queue. `new` photos are in no
    queue; the answers of those in `review` wait for a person. `photos_a_minute` counts
    the last five minutes; `eta_s` is None while there is nothing to base it on, and
    `eta_basis` says what that is.
    """

    state: str
    message: str | None = None
    backend: str | None = None
    paused_at: str | None = None
    new: int = 0
    queued: int = 0
    working: int = 0
    tagged: int = 0
    review: int = 0
    not_written: int = 0
    failed: int = 0
    missing: int = 0
    total: int = 0
    photos_a_minute: float | None = None
    eta_s: float | None = None
    eta_basis: str | None = None
    seen_at: str | None = None
    servers: tuple[ServerReport, ...] = field(default=())
