"""Here: what in the settings is changed only at the machine itself.

Who is let in, where data lie, which program is run, and where a key goes that stands in
an environment variable: whoever may say that from a browser somewhere else has the
machine, and not only the photos. So an admin who is elsewhere reads them, and changes
them in `config.toml` at the machine.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from tagger import acting
from tagger.errors import Forbidden

_SECTIONS = frozenset({"auth", "library", "data", "tracking"})
_KEYS = frozenset(
    {"app.host", "app.port"}
    | {"metadata.exiftool", "metadata.mirror_dir"}
    | {"semantic.api_key_env", "servers.api_key_env"}
)


def is_for_here(key: str) -> bool:
    """Whether a setting, written `section.key`, is changed only at the machine."""
    return key in _KEYS or key.partition(".")[0] in _SECTIONS


def refuse_elsewhere(edits: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raise `Forbidden` if whoever is elsewhere would change one of them.

    `now` is what is in force, with the same keys.
    """
    if not acting.is_elsewhere():
        return
    for section, values in edits.items():
        if section == "servers":
            _refuse_keys("servers", values, now.get("servers", ()))
        elif isinstance(values, Mapping):
            for key in values:
                if is_for_here(f"{section}.{key}"):
                    raise _refusal(f"{section}.{key}")
            present = now.get(section, {})
            _refuse_keys(section, [{**present, **values}], [present])


def refuse_key(server: Mapping[str, Any], known: Sequence[Mapping[str, Any]]) -> None:
    """Raise `Forbidden` if this server would get a key, and none of `known` does."""
    if acting.is_elsewhere():
        _refuse_keys("servers", [server], known)


def _refuse_keys(section: str, wanted: Any, known: Sequence[Mapping[str, Any]]) -> None:
    """A key goes only where it goes already."""
    if not isinstance(wanted, list):
        return  # no list of servers: refused as such where settings are checked
    sent = {_sends(server) for server in known}
    for server in wanted:
        has_key = isinstance(server, Mapping) and server.get("api_key_env")
        if has_key and _sends(server) not in sent:
            raise _refusal(f"{section}.url or {section}.api_key_env")


def _sends(server: Mapping[str, Any]) -> tuple[str, str]:
    url = str(server.get("url", "")).rstrip("/")
    return url, str(server.get("api_key_env", ""))


def _refusal(key: str) -> Forbidden:
    return Forbidden(
        f"{key} is changed only at the machine the app runs on: edit config.toml "
        "there, or open the app there while nobody has to sign in"
    )
