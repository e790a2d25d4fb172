"""What the rooms hand to each other: frozen records, no logic beyond a field or two.

Paths are `bytes` as the operating system gives them, because a file name need not be
UTF-8; `errors.shown` turns one into text for people. Times are UTC, ISO 8601 with a
trailing `Z`, except `taken_at`, which is the camera's wall clock and has no zone.
"""

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum


def utc_now() -> str:
    """The present as UTC ISO 8601 with milliseconds: `2026-11-22T10:00:00.000Z`."""
    now = datetime.now(UTC)
    return now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z"


class WriteMode(StrEnum):
    """Where a folder's words go besides the catalogue."""

    FILE = "file"
    SIDECAR = "sidecar"
    NONE = "none"


class ImageState(StrEnum):
    """What stands with one photo, as screens show it."""

    NEW = "new"  # found, not yet looked at
    QUEUED = "queued"  # waits for the tagger, or is being worked on
    TAGGED = "tagged"  # has an answer, and the words are where they should be
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
    """Who said a file's words, as the file itself tells: the program's last answer.

    `tags` and `description` are the answer's, as they stand in the file; `tagged_at`
    is when the model gave it.
    """

    program: str
    model: str
    prompt_version: str
    tagged_at: str
    tags: tuple[str, ...] = ()
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileWords:
    """The words that stand in a file or its sidecar now.

    `provenance` is what an Image Tagger, this one or another, left in the file of
    where its words come from; None if there is nothing of the kind.
    """

    description: str | None = None
    tags: tuple[str, ...] = ()
    provenance: Provenance | None = None


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
    are tags an earlier write of ours added and nobody else said: they may go.
    `own_description` is the one an earlier write of ours left; if the file still has
    exactly that, it may be replaced, any other is the person's. `by_person` says that a
    person gave the description in the program: it replaces any. `provenance` is put
    into the file too; None leaves what stands there.
    """

    description: str
    tags: tuple[str, ...]
    retired: tuple[str, ...] = ()
    own_description: str | None = None
    by_person: bool = False
    provenance: Provenance | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What is about to replace a file; made durable before the replace happens.

    `before` and `intended` map ExifTool field names (`XMP-dc:Subject`) to the values
    they held and will hold; a field that did not exist has an empty tuple. `expect` is
    the stat key of the target (None: it does not exist yet, a new sidecar),
    `after_hash` the BLAKE3 of the finished temporary file, whole file, hex.
    """

    target: bytes
    mode: WriteMode
    expect: StatKey | None
    before: dict[str, tuple[str, ...]]
    intended: dict[str, tuple[str, ...]]
    added_tags: tuple[str, ...]
    wrote_description: str | None
    after_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The outcome of a write that succeeded.

    `changed` is False when the words already stood there and no byte was touched.
    `note` says why a sidecar was used although the folder asks for the file itself.
    `cleaned` is an older sidecar that retired words of ours were taken out of besides,
    by a write of its own with an intent of its own.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder the user added. `offline` says why its photos cannot be reached now.

    `servers` are those its photos may be sent to, by name; None leaves that open.
    """

    id: int
    path: bytes
    recursive: bool
    active: bool
    write_mode: WriteMode
    added_at: str
    last_scan_at: str | None = None
    offline: str | None = None
    servers: tuple[str, ...] | None = None


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
class ServerReport:
    """One model server as the tagger last saw it, with `busy` of its `places` taken.

    `is_open` says that it takes photos of folders that are bound to none.
    """

    url: str
    kind: str
    model: str
    usable: bool
    problem: str | None = None
    busy: int = 0
    answered: int = 0
    places: int = 0
    name: str = ""
    is_open: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Where the tagger stands; what `status`, `/api/status` and the sidebar show.

    `state` is `stopped`, `idle`, `working`, `waiting` or `paused`; `message` says what
    it waits for. `photos_a_minute` counts the last five minutes; `eta_s` is None while
    there is nothing to base it on.
    """

    state: str
    message: str | None = None
    backend: str | None = None
    queued: int = 0
    working: int = 0
    tagged: int = 0
    not_written: int = 0
    failed: int = 0
    missing: int = 0
    total: int = 0
    photos_a_minute: float | None = None
    eta_s: float | None = None
    seen_at: str | None = None
    servers: tuple[ServerReport, ...] = field(default=())
