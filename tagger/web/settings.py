"""Settings on screen: `config.toml` read and edited, its comments kept.

An edit is checked as a whole before a byte of the file changes, and the file is
replaced in one step. A key that an environment variable holds cannot be edited here,
because the edit would change nothing; the refusal names the variable.
"""

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Table

from tagger import acting, config
from tagger.config import Config
from tagger.errors import ConfigError, UsageError
from tagger.sections import Server
from tagger.web import here, masking

# What the app takes from its start; everything else holds from the next photo on.
_READ_AT_START = frozenset(
    {
        *("app.host", "app.port", "app.log_level", "data.dir", "data.catalogue"),
        *("tagger.with_app", "tracking.url"),
    }
)
_PLAIN_VARIABLES = {
    "HOST": "app.host",
    "PORT": "app.port",
    "DB_PATH": "data.catalogue",
    "TAGGER_DATA_DIR": "data.dir",
    "TAGGER_SERVERS": "servers",
    "OLLAMA_SERVER": "servers.url",
    "OLLAMA_MODEL": "servers.model",
}
_saving = threading.Lock()

Changes = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Saved:
    """What an edit did: the settings now in force, and which wait for a restart."""

    config: Config
    changed: tuple[str, ...]
    restart: tuple[str, ...]


def overridden(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Which settings a variable holds: `{"app.port": "PORT"}`."""
    held = {key: name for name, key in _PLAIN_VARIABLES.items() if environ.get(name)}
    for name in environ:
        section, separator, key = name.removeprefix("TAGGER_").lower().partition("__")
        if name.startswith("TAGGER_") and separator:
            held[f"{section}.{key}"] = name
    return held


def variable(key: str) -> str:
    """The environment variable that goes before a setting of the file."""
    section, _, name = key.partition(".")
    if section == "servers":
        return "TAGGER_SERVERS"
    if key == "data.dir":
        return "TAGGER_DATA_DIR"
    return f"TAGGER_{section}__{name}".upper()


def save(changes: Changes, environ: Mapping[str, str] = os.environ) -> Saved:
    """Put `{section: {key: value}}` into `config.toml`; `servers` is a list.

    A value of None takes the key out, so that its default holds. Raises `ConfigError`
    naming a bad key or value, `Forbidden` for what is changed only at the machine, and
    `UsageError` if a variable holds the key or the file
    cannot be written; the file is as it was then.
    """
    acting.refuse_unrecorded()
    with _saving:
        path = config.config_path(environ)
        now = config.load(environ).model_dump(mode="json")
        edits = _edits(masking.restored(changes, now), now)
        here.refuse_elsewhere(edits, now)
        _refuse_held(edits, overridden(environ))
        document = _parse(path)
        before = document.unwrap()
        _apply(document, edits)
        config.check(document.unwrap(), origin=lambda key: path.name)
        effective = _replace(path, tomlkit.dumps(document), environ)
    changed = tuple(_differences(before, document.unwrap()))
    restart = tuple(key for key in changed if key in _READ_AT_START)
    return Saved(effective, changed, restart)


def _edits(changes: Changes, now: Mapping[str, Any]) -> dict[str, Any]:
    """What of `changes` differs from the settings in force; a form sends them all."""
    edits: dict[str, Any] = {}
    for section, values in changes.items():
        present = now.get(section, {})
        if section == "servers":
            if _whole_servers(values) != present:
                edits[section] = values
        elif isinstance(values, Mapping) and isinstance(present, Mapping):
            edits[section] = {
                key: value
                for key, value in values.items()
                if value is None or key not in present or value != present[key]
            }
        else:
            edits[section] = values
    return edits


def _whole_servers(servers: Any) -> Any:
    """The servers with their defaults filled in, to compare with those in force."""
    defaults = Server().model_dump(mode="json")
    if not isinstance(servers, list):
        return servers
    return [
        {**defaults, **server} if isinstance(server, Mapping) else server
        for server in servers
    ]


def _parse(path: Path) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(path.read_text("utf-8"))
    except FileNotFoundError:
        return tomlkit.document()
    except (TOMLKitError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error


def _refuse_held(edits: Changes, held: Mapping[str, str]) -> None:
    """Raise `UsageError` if an edit would be covered by the environment."""
    for section, values in edits.items():
        keys = values if isinstance(values, Mapping) else ()
        edited = {section, *(f"{section}.{key}" for key in keys)}
        for setting, variable in held.items():
            is_server = section == "servers" == setting.partition(".")[0]
            if setting in edited or is_server:
                raise UsageError(
                    f"{setting} is set by the environment variable {variable}, which "
                    "goes before config.toml; unset it to edit the setting here"
                )


def _differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """The keys whose values differ, as `section.key`; `servers` counts as one."""
    keys = []
    for section in sorted({*before, *after}):
        old, new = before.get(section, {}), after.get(section, {})
        if isinstance(old, dict) and isinstance(new, dict):
            names = sorted({*old, *new})
            keys += [f"{section}.{k}" for k in names if old.get(k) != new.get(k)]
        elif old != new:
            keys.append(section)
    return keys


def _apply(document: tomlkit.TOMLDocument, changes: Changes) -> None:
    for section, values in changes.items():
        if section == "servers":
            _apply_servers(document, values)
        elif isinstance(values, Mapping):
            if values and section not in document:
                document[section] = tomlkit.table()
            _apply_keys(document.get(section), values)
        else:
            raise ConfigError(f"{section} is a section; its keys are given in a table")


def _apply_keys(table: Any, values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        if value is None:
            table.pop(key, None)
        elif table.get(key) != value:
            table[key] = _item(key, value)


def _item(key: str, value: Any) -> Any:
    try:
        return tomlkit.item(value)
    except (TOMLKitError, ValueError, TypeError) as error:
        raise ConfigError(f"{key} = {value!r} cannot stand in a TOML file") from error


def _apply_servers(document: tomlkit.TOMLDocument, servers: Any) -> None:
    """Edit the listed servers in place, add what is new, drop what is gone."""
    if not isinstance(servers, list) or not all(
        isinstance(server, Mapping) for server in servers
    ):
        raise ConfigError("servers is a list of tables, one for each model server")
    listed = document.get("servers")
    if not isinstance(listed, AoT):
        listed = tomlkit.aot()
        document["servers"] = listed
    for position, server in enumerate(servers):
        if position == len(listed):
            listed.append(_new_table(server))
            continue
        table = listed[position]
        for gone in [key for key in table if key not in server]:
            table.remove(gone)
        _apply_keys(table, server)
    while len(listed) > len(servers):
        del listed[len(listed) - 1]


def _new_table(values: Mapping[str, Any]) -> Table:
    table = tomlkit.table()
    _apply_keys(table, values)
    table.add(tomlkit.nl())
    return table


def _replace(path: Path, text: str, environ: Mapping[str, str]) -> Config:
    """Put `text` in the place of the file; answers the settings then in force."""
    target = path.resolve()
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(target.stat().st_mode & 0o777 if target.exists() else 0o644)
        effective = config.load({**environ, "TAGGER_CONFIG": str(temporary)})
        temporary.replace(target)
    except OSError as error:
        raise UsageError(f"{path} cannot be saved: {error.strerror}") from error
    finally:
        temporary.unlink(missing_ok=True)
    return effective
