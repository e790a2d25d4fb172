"""Settings: `config.toml` and the environment become one frozen, checked record.

`load` is the only reader. The environment beats the file, and a command's flags beat
both. The record is passed down as an argument; nothing keeps it at module level.
"""

import os
import tomllib
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import (
    Field,
    ValidationError,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from tagger.errors import ConfigError, UsageError
from tagger.sections import (
    BUILTIN,
    App,
    Auth,
    Catalogue,
    Data,
    Library,
    Metadata,
    Model,
    Retry,
    Scan,
    Schedule,
    Semantic,
    Server,
    Tagger,
    Tracking,
    Ui,
)

ROOT = Path(__file__).resolve().parent.parent

_NOTHING: Mapping[str, str] = MappingProxyType({})
_environment: ContextVar[Mapping[str, str]] = ContextVar(
    "environment", default=_NOTHING
)


class Config(BaseSettings):
    """Every setting. Sections are attributes; see `config.toml` for what each means."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix="TAGGER_", env_nested_delimiter="__"
    )

    app: App = App()
    auth: Auth = Auth()
    library: Library = Library()
    model: Model = Model()
    servers: tuple[Server, ...] = Field((Server(),), min_length=1)
    retry: Retry = Retry()
    metadata: Metadata = Metadata()
    scan: Scan = Scan()
    schedule: Schedule = Schedule()
    tagger: Tagger = Tagger()
    catalogue: Catalogue = Catalogue()
    semantic: Semantic = Semantic()
    ui: Ui = Ui()
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
# Settings that once went by another name.
_RENAMED = {"app.browse_roots": "library.roots"}
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
        if new := _RENAMED.get(f"{section}.{key}"):
            raise ConfigError(
                f"{name}: the setting is called {new} now; use TAGGER_"
                + new.upper().replace(".", "__")
            )
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
        if new := _RENAMED.get(key):
            return f"{key} is called {new} now; rename it, in the section of that name"
        return f"there is no setting called {key}"
    said = first["msg"].removeprefix("Value error, ")
    if first["type"] in ("model_type", "model_attributes_type"):
        said = f"it must be a section, [{key}]"
    if isinstance(first["input"], dict):
        return f"{key} is not allowed: {said}"
    return f"{key} = {first['input']!r} is not allowed: {said}"
