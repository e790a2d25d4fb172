"""Settings: `config.toml` and the environment become one frozen, checked record.

`load` is the only reader. The environment beats the file, and a command's flags beat
both. The record is passed down as an argument; nothing keeps it at module level.
"""

import os
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from tagger.errors import ConfigError, UsageError
from tagger.records import WriteMode

ROOT = Path(__file__).resolve().parent.parent

_NOTHING: Mapping[str, str] = MappingProxyType({})
_environment: ContextVar[Mapping[str, str]] = ContextVar(
    "environment", default=_NOTHING
)


def _http_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an address such as http://127.0.0.1:11434")
    return value.rstrip("/")


Url = Annotated[str, AfterValidator(_http_url)]

_CLOCK = r"([01][0-9]|2[0-3]):([0-5][0-9])"


def _window(value: str) -> str:
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


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class App(_Section):
    """Where the browser finds the app."""

    host: str = "127.0.0.1"
    port: int = Field(8501, ge=1, le=65535)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    browse_roots: tuple[str, ...] = ()


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
    """One model server. What it is `called` is its name or, without one, its address.

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
        return self.name or self.url


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

    window: Annotated[str, AfterValidator(_window)] = ""
    timezone: Annotated[str, AfterValidator(_timezone)] = ""
    order: Literal["added", "newest"] = "added"
    photos_a_day: int = Field(0, ge=0)


class Tagger(_Section):
    """The long-running process."""

    look_threads: int = Field(4, ge=1, le=64)
    max_megapixels: int = Field(250, ge=1, le=1000)


class Catalogue(_Section):
    """How far people's own questions in SQL may go."""

    sql_timeout_s: float = Field(30.0, gt=0, le=3600)
    sql_rows: int = Field(10_000, ge=1, le=1_000_000)
    sql_file_rows: int = Field(1_000_000, ge=1)


class Data(_Section):
    """Where the program keeps its own files."""

    dir: str = "data"
    catalogue: str = ""


class Tracking(_Section):
    """Where jobs, results and edits are kept: in the data folder, or at `url`."""

    url: str = ""


class Config(BaseSettings):
    """Every setting. Sections are attributes; see `config.toml` for what each means."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix="TAGGER_", env_nested_delimiter="__"
    )

    app: App = App()
    model: Model = Model()
    servers: tuple[Server, ...] = Field((Server(),), min_length=1)
    retry: Retry = Retry()
    metadata: Metadata = Metadata()
    scan: Scan = Scan()
    schedule: Schedule = Schedule()
    tagger: Tagger = Tagger()
    catalogue: Catalogue = Catalogue()
    data: Data = Data()
    tracking: Tracking = Tracking()

    @field_validator("servers")
    @classmethod
    def _names_tell_servers_apart(
        cls, servers: tuple[Server, ...]
    ) -> tuple[Server, ...]:
        names = [server.name.casefold() for server in servers if server.name]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"two servers are called {twice}; a name tells them apart")
        return servers

    @property
    def server_names(self) -> tuple[str, ...]:
        """What a folder can be bound to."""
        return (*(server.called for server in self.servers), BUILTIN)

    def servers_called(self, names: Sequence[str]) -> list[str]:
        """Names of servers as they are spelt here; raises `UsageError` for another."""
        known = {name.casefold(): name for name in self.server_names}
        for name in names:
            if name.casefold() not in known:
                raise UsageError(
                    f"there is no server called {name}; there are "
                    f"{', '.join(known.values())} (setting servers.name)"
                )
        return [known[name.casefold()] for name in names]

    @property
    def data_dir(self) -> Path:
        """The data folder; a relative one is below the project."""
        return ROOT / self.data.dir

    @property
    def tracking_path(self) -> Path:
        return self.data_dir / "tracking.db"

    @property
    def catalogue_path(self) -> Path:
        if self.data.catalogue:
            return ROOT / self.data.catalogue
        return self.data_dir / "catalogue.duckdb"

    @property
    def search_dir(self) -> Path:
        return self.data_dir / "search"

    @property
    def mirror_dir(self) -> Path:
        """The folder of the sidecars of all folders whose words go into a mirror."""
        if self.metadata.mirror_dir:
            return ROOT / Path(self.metadata.mirror_dir).expanduser()
        return self.data_dir / "mirror"

    @property
    def thumbnails_dir(self) -> Path:
        return self.data_dir / "thumbnails"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # What is passed in is the file. The environment goes before it: the one given
        # to `load`, so that settings can be tried that are not this process's own.
        environment = EnvSettingsSource(settings_cls)
        environment.env_vars = {k.lower(): v for k, v in _environment.get().items()}
        return environment, init_settings


_SPECIAL = {"TAGGER_CONFIG", "TAGGER_DATA_DIR", "TAGGER_SERVERS"}
_PLAIN = {
    "DB_PATH": "data.catalogue",
    "TAGGER_DATA_DIR": "data.dir",
    "HOST": "app.host",
    "PORT": "app.port",
}


def config_path(environ: Mapping[str, str] = os.environ) -> Path:
    """The settings file in force: `TAGGER_CONFIG`, or `config.toml` in the project."""
    return Path(environ.get("TAGGER_CONFIG") or ROOT / "config.toml")


def load(environ: Mapping[str, str] = os.environ) -> Config:
    """Read `config.toml` and the environment.

    Raises `ConfigError` with one line naming key, value and what is allowed.
    """
    path = config_path(environ)
    values = read_file(path) if path.exists() or "TAGGER_CONFIG" in environ else {}
    _refuse_unknown_variables(environ)
    _apply_plain_variables(values, environ)
    token = _environment.set(environ)
    try:
        return check(values, origin=lambda key: _origin(key, path, environ))
    finally:
        _environment.reset(token)


def read_file(path: Path) -> dict[str, Any]:
    """The plain values of a settings file, unchecked."""
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: there is no such settings file (TAGGER_CONFIG names it)"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error


def check(
    values: dict[str, Any],
    *,
    origin: Callable[[str], str] = lambda key: "config.toml",
) -> Config:
    """Settings out of plain values; raises `ConfigError` naming the first bad key.

    `origin` tells where the value of a key comes from.
    """
    try:
        return Config(**values)
    except ValidationError as error:
        raise ConfigError(f"{origin(_key(error))}: {_sentence(error)}") from error
    except SettingsError as error:
        raise ConfigError("TAGGER_SERVERS is no valid JSON") from error


def _refuse_unknown_variables(environ: Mapping[str, str]) -> None:
    """A misspelt `TAGGER_…` variable would otherwise change nothing, silently."""
    for name in environ:
        if not name.startswith("TAGGER_") or name in _SPECIAL:
            continue
        section, _, key = name.removeprefix("TAGGER_").lower().partition("__")
        field = Config.model_fields.get(section)
        known = getattr(field.annotation, "model_fields", {}) if field else {}
        if key not in known:
            raise ConfigError(
                f"{name}: there is no such setting; a variable is spelt "
                "TAGGER_<SECTION>__<KEY>, for example TAGGER_SCAN__INTERVAL_MIN"
            )


def _apply_plain_variables(values: dict[str, Any], environ: Mapping[str, str]) -> None:
    """Fold the variables with a name of their own into the file's values.

    What has the wrong shape in the file is left alone: `check` names it.
    """
    servers = values.get("servers") or [{}]
    if isinstance(servers, list) and all(isinstance(s, dict) for s in servers):
        values["servers"] = _servers(servers, environ)
    for variable, key in _PLAIN.items():
        section, _, name = key.partition(".")
        known = values.get(section, {})
        if environ.get(variable) and isinstance(known, dict):
            values[section] = {**known, name: environ[variable]}


def _servers(
    servers: list[dict[str, Any]], environ: Mapping[str, str]
) -> list[dict[str, Any]]:
    if urls := environ.get("OLLAMA_SERVER"):
        given = [url.strip().rstrip("/") for url in urls.split(",") if url.strip()]
        servers = [_at(url, servers) for url in given]
    if model := environ.get("OLLAMA_MODEL"):
        servers = [{**server, "model": model} for server in servers]
    return servers


def _at(url: str, servers: list[dict[str, Any]]) -> dict[str, Any]:
    """A server by its address alone. Whatever goes by the name of another one, such as
    a folder that is bound to it, must not go to this one: a name stays at its address.
    """
    known = (one for one in servers if str(one.get("url", "")).rstrip("/") == url)
    return next(known, {**servers[0], "url": url, "name": ""})


def _origin(key: str, path: Path, environ: Mapping[str, str]) -> str:
    """Where a bad value comes from: the variable that set it, or the file."""
    section, _, name = key.partition(".")
    candidates = [
        *(variable for variable, plain in _PLAIN.items() if plain == key),
        f"TAGGER_{section}__{name}".upper(),
    ]
    if section == "servers":
        candidates = ["TAGGER_SERVERS"]
        candidates += ["OLLAMA_SERVER"] if key.endswith(".url") else []
        candidates += ["OLLAMA_MODEL"] if key.endswith(".model") else []
    return next((name for name in candidates if environ.get(name)), str(path))


def _key(error: ValidationError) -> str:
    return ".".join(str(part) for part in error.errors()[0]["loc"])


def _sentence(error: ValidationError) -> str:
    first, key = error.errors()[0], _key(error)
    if first["type"] == "extra_forbidden":
        return f"there is no setting called {key}"
    said = first["msg"].removeprefix("Value error, ")
    if first["type"] in ("model_type", "model_attributes_type"):
        said = f"it must be a section, [{key}]"
    if isinstance(first["input"], dict):
        return f"{key} is not allowed: {said}"
    return f"{key} = {first['input']!r} is not allowed: {said}"
