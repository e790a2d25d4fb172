"""Sections: the settings by what they are about, each value checked by itself.

`config` makes them out of the file and the environment; `config.toml` says what each
value means.
"""

import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    model_validator,
)

from tagger.records import WriteMode
from tagger.texts import without_password


def _http_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an address such as http://127.0.0.1:11434")
    return value.rstrip("/")


Url = Annotated[str, AfterValidator(_http_url)]

_CLOCK = r"([01][0-9]|2[0-3]):([0-5][0-9])"


def hours_of_day(value: str) -> str:
    """Hours of the day as they are kept. Raises `ValueError` for what are none."""
    hours = re.fullmatch(rf"{_CLOCK}\s*[-\u2013]\s*{_CLOCK}", value.strip())
    if not value.strip():
        return ""
    if hours is None or hours.group(1, 2) == hours.group(3, 4):
        raise ValueError('must be two times of day such as "22:00-07:00", or empty')
    return "{}:{}-{}:{}".format(*hours.groups())


def _watch(value: object) -> object:
    """Yes and no, as this setting once was."""
    known = {"true": "auto", "false": "never"}
    return known.get(str(value).lower(), value)


def _timezone(value: str) -> str:
    try:
        return ZoneInfo(value.strip()).key if value.strip() else ""
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            'must be the name of a time zone such as "Europe/Rome", or empty for '
            "this machine's own"
        ) from None


def _whole_path(value: str) -> str:
    path = value.strip()
    if not path.startswith(("/", "~")) or "\0" in path:
        raise ValueError("must be a whole path such as /srv/photos")
    return path


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class App(_Section):
    """Where the browser finds the app."""

    host: str = "127.0.0.1"
    port: int = Field(8501, ge=1, le=65535)
    log_level: Literal["debug", "info", "warning", "error"] = "info"


class Library(_Section):
    """Where photos may lie."""

    roots: tuple[Annotated[str, AfterValidator(_whole_path)], ...] = ()


class Model(_Section):
    """What is asked of the model."""

    backend: Literal["auto", "ollama", "openai", "builtin"] = "auto"
    language: str = Field("English", min_length=2)
    tags_min: int = Field(5, ge=0, le=50)
    tags_max: int = Field(25, ge=1, le=100)
    preferred_tags: tuple[str, ...] = ()
    extra_instruction: str = ""
    temperature: float = Field(0.1, ge=0, le=2)
    image_side_px: int = Field(1024, ge=224, le=4096)
    max_tokens: int = Field(1024, ge=64, le=32768)

    @model_validator(mode="after")
    def _fewest_before_most(self) -> "Model":
        if self.tags_min > self.tags_max:
            raise ValueError(
                f"tags_min ({self.tags_min}) must not be above tags_max "
                f"({self.tags_max})"
            )
        return self


# The name of the model that comes with the program; no server can have it.
BUILTIN = "builtin"


def _server_name(value: str) -> str:
    name = " ".join(value.split())
    if name.casefold() == BUILTIN:
        raise ValueError(f"{BUILTIN} is the model that comes with the program")
    if "," in name or not name.isprintable():
        raise ValueError("must be a word or two, without commas")
    return name


MOST_PARALLEL = 64


def _parallel(value: Any) -> Any:
    number = str(value).strip()
    if number == "auto":
        return "auto"
    if not number.isdecimal() or not 1 <= int(number) <= MOST_PARALLEL:
        raise ValueError(f'must be a number from 1 to {MOST_PARALLEL}, or "auto"')
    return int(number)


Parallel = Annotated[int | Literal["auto"], BeforeValidator(_parallel)]


class Server(_Section):
    """One model server. What it is `called` is its name or, without one, its address,
    without the password that may be in it: it stands in answers, files and messages.

    A model that Ollama serves besides another is a server of its own, of the same
    address.
    """

    name: Annotated[str, AfterValidator(_server_name)] = ""
    url: Url = "http://127.0.0.1:11434"
    kind: Literal["ollama", "openai"] = "ollama"
    model: str = Field("gemma3:4b", min_length=1)
    parallel: Parallel = 1
    weight: float = Field(1.0, ge=0, le=1000)
    timeout_s: float = Field(300.0, gt=0)
    connect_timeout_s: float = Field(5.0, gt=0)
    keep_alive: str = "5m"
    api_key_env: str = ""

    @property
    def called(self) -> str:
        return self.name or without_password(self.url)


class Retry(_Section):
    """How long a photo waits for a server that may come back."""

    attempts: int = Field(5, ge=1, le=100)
    wait_base_s: float = Field(5.0, ge=0)
    wait_max_s: float = Field(30.0, ge=0)


class Metadata(_Section):
    """What is written into photos."""

    write_mode: WriteMode = WriteMode.FILE
    mirror_dir: str = ""
    sidecar_name: Literal["full", "stem"] = "full"
    share_sidecar: bool = False
    replace_person_description: bool = False
    user_comment: Literal["never", "if_empty"] = "never"
    provenance: bool = True
    keep_modified_time: bool = True
    exiftool: str = "exiftool"
    timeout_s: float = Field(120.0, gt=0)


class Scan(_Section):
    """How folders are looked through."""

    interval_min: float = Field(15.0, gt=0)
    settle_s: float = Field(2.0, ge=0)
    watch: Annotated[Literal["auto", "always", "never"], BeforeValidator(_watch)] = (
        "auto"
    )


class Schedule(_Section):
    """When the queue is worked, in which order, and how much of it."""

    window: Annotated[str, AfterValidator(hours_of_day)] = ""
    timezone: Annotated[str, AfterValidator(_timezone)] = ""
    order: Literal["added", "newest"] = "added"
    photos_a_day: int = Field(0, ge=0)


class Tagger(_Section):
    """The long-running process."""

    with_app: bool = True
    look_threads: int = Field(4, ge=1, le=64)
    max_megapixels: int = Field(250, ge=1, le=1000)


class Catalogue(_Section):
    """What is made out about photos besides their words, and how far questions in
    SQL may go.
    """

    look_alikes: bool = True
    sql_timeout_s: float = Field(30.0, gt=0, le=3600)
    sql_rows: int = Field(10_000, ge=1, le=1_000_000)
    sql_file_rows: int = Field(1_000_000, ge=1)


class Semantic(_Section):
    """The model that says what texts mean; without a `model` there is none."""

    url: Url = "http://127.0.0.1:11434"
    kind: Literal["ollama", "openai"] = "ollama"
    model: str = ""
    timeout_s: float = Field(30.0, gt=0)
    api_key_env: str = ""


def _tiles(value: str) -> str:
    url = value.strip()
    if not url:
        return ""
    rest = url
    for part in ("{z}", "{x}", "{y}"):
        rest = rest.replace(part, "", 1)
    is_whole = len(rest) == len(url) - 9 and "{" not in rest and "}" not in rest
    if not is_whole or urlsplit(rest).scheme not in ("http", "https"):
        raise ValueError(
            "must be an address with {z}, {x} and {y} once each, such as "
            "https://tiles.example.org/{z}/{x}/{y}.png, or empty for no map"
        )
    return url


def _host_name(value: str) -> str:
    """A name people type, without scheme and port."""
    name = value.strip().lower().rstrip(".")
    if not re.fullmatch(r"[a-z0-9._-]+|\[[0-9a-f:.]+\]", name):
        raise ValueError('must be a name such as "photos.example.org", without a port')
    return name


class Ui(_Section):
    """What screens show besides; only a map asks anything of another machine."""

    tile_url: Annotated[str, AfterValidator(_tiles)] = ""


class Auth(_Section):
    """Who is let in. Once there is a user, nobody is who does not sign in."""

    mode: Literal["auto", "open", "proxy", "oidc"] = "auto"
    hosts: tuple[Annotated[str, AfterValidator(_host_name)], ...] = ()
    session_hours: float = Field(168.0, gt=0, le=24 * 366)
    trusted_proxies: tuple[IPvAnyNetwork, ...] = ()
    proxy_header: str = Field("X-Forwarded-User", pattern=r"^[A-Za-z][A-Za-z0-9-]*$")
    default_role: Literal["", "viewer", "editor"] = ""


class Data(_Section):
    """Where the program keeps its own files."""

    dir: str = "data"
    catalogue: str = ""


class Tracking(_Section):
    """Where jobs, results and edits are kept: in the data folder, or at `url`."""

    url: str = ""
