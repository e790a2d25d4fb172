"""API: the settings file, and the model servers it names."""

from dataclasses import asdict

from fastapi import APIRouter

from tagger import config
from tagger.records import ServerState
from tagger.web import masking, runtime, servers, settings
from tagger.web.api.models import (
    Message,
    ServerCheck,
    ServerCheckIn,
    SettingsIn,
    SettingsOut,
)

router = APIRouter(prefix="/settings", tags=["settings"])


@router.get("/config")
def read_config() -> SettingsOut:
    """The settings in force, and which of them an environment variable holds.

    Passwords in addresses are shown as `***`; sent back so, they stay as they are.
    """
    return SettingsOut(
        config=masking.masked(runtime.current().config.model_dump(mode="json")),
        path=str(config.config_path()),
        overridden=settings.overridden(),
    )


@router.post("/config")
def save_config(wanted: SettingsIn) -> Message:
    """Edit settings; all of them are checked before the file changes."""
    saved = settings.save(wanted.config)
    runtime.current().apply(saved.config)
    if not saved.changed:
        return Message(message="Nothing was different; the file is as it was.")
    said = f"Saved: {', '.join(saved.changed)}."
    if saved.restart:
        said += f" {', '.join(saved.restart)}: from the next start of the app on."
    return Message(message=said)


@router.get("/status")
def server_states() -> list[ServerCheck]:
    """What stands with each configured model server, asked now."""
    return [_out(state) for state in servers.states()]


@router.post("/test-ollama")
def check_server(wanted: ServerCheckIn | None = None) -> ServerCheck:
    """Test one model server: is it there, has it the model, can the model see."""
    asked = wanted or ServerCheckIn()
    base = servers.like(runtime.current().config, url=asked.url)
    given = asked.model_dump(exclude_none=True, exclude={"url"})
    return _out(servers.check({**base.model_dump(), **given}))


def _out(state: ServerState) -> ServerCheck:
    told = masking.masked(asdict(state))
    return ServerCheck.model_validate({**told, "usable": state.usable})
