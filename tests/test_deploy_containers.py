"""The shipped container files, as far as they can be checked without building them."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tagger import config
from tagger.cli import arguments
from tagger.records import WriteMode
from tagger.tracking import presence
from tests.support_web import ROOT, app_process

DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text("utf-8")
INSTRUCTION = re.compile(r"^([A-Z]+) +((?:.*\\\n)*.*)$", re.MULTILINE)
MINUTE_S = {"s": 1, "m": 60}


def compose(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / name).read_text("utf-8"))
    return found


SERVICES: dict[str, dict[str, Any]] = compose("compose.yaml")["services"]
READ_ONLY: dict[str, dict[str, Any]] = compose("compose.readonly.yaml")["services"]
OURS = ("app", "tagger")

each_service = pytest.mark.parametrize("name", sorted(SERVICES))
each_of_ours = pytest.mark.parametrize("name", OURS)


def instructions(kind: str, text: str = DOCKERFILE) -> list[str]:
    found = INSTRUCTION.findall(text.replace("\\\n", " "))
    return [rest for name, rest in found if name == kind]


def final_stage() -> str:
    return DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]


def image_environment() -> dict[str, str]:
    (words,) = [shlex.split(line) for line in instructions("ENV", final_stage())]
    return dict(word.split("=", 1) for word in words)


def run_by(command: list[str], **changed: str) -> int:
    """What a container's check answers here, with `changed` for what is elsewhere."""
    python, *rest = command
    assert python == "python"
    for there, here in changed.items():
        rest = [word.replace(CONTAINER[there], here) for word in rest]
    return subprocess.run(
        [sys.executable, *rest], cwd=ROOT, capture_output=True
    ).returncode


CONTAINER = {"url": "http://127.0.0.1:8501", "data": "/data"}


# The image


def test_what_is_copied_is_there_and_reaches_the_build() -> None:
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    copied = [shlex.split(line) for line in instructions("COPY")]
    own = [words for words in copied if not words[0].startswith("--from=")]
    sources = {
        word for words in own for word in words[:-1] if not word.startswith("--")
    }
    assert {"app.py", "tagger", "pages", ".streamlit"} <= sources
    for source in sources:
        assert (ROOT / source).exists(), source
        assert f"!{source}" in ignored, source


def test_what_the_program_imports_or_opens_of_the_project_is_copied() -> None:
    copied = " ".join(instructions("COPY"))
    beside = {"app.py", "config.toml", ".streamlit", "pages", "tagger", "data/samples"}
    assert all(name in copied.split() for name in beside)


def test_it_is_nobody_and_holds_nothing_that_builds() -> None:
    last = final_stage()
    (user,) = instructions("USER", last)
    assert user == "$UID:$GID"
    assert {
        line.split("=")[0]: line.split("=")[1] for line in instructions("ARG", last)
    } == {
        "UID": "10001",
        "GID": "10001",
    }
    packages = re.findall(r"--no-install-recommends ([a-z0-9+. -]+)", last)[0].split()
    assert packages == ["libimage-exiftool-perl", "libstdc++6", "zlib1g"]
    assert not re.search(r"gcc|build-essential|-dev\b|pip install", last)


def test_its_python_is_one_the_pinned_requirements_are_for() -> None:
    bases = set(instructions("FROM"))
    (plain,) = {base.removesuffix(" AS build") for base in bases}
    major, minor = re.fullmatch(r"python:(\d+)\.(\d+)-slim-bookworm", plain).groups()  # type: ignore[union-attr]
    assert (int(major), int(minor)) >= (3, 11)
    assert "-r /tmp/requirements.txt" in DOCKERFILE


def test_its_commands_are_those_of_the_program() -> None:
    (entry,), (command,) = instructions("ENTRYPOINT"), instructions("CMD")
    assert yaml.safe_load(entry) == ["python", "-m", "tagger"]
    for words in (
        yaml.safe_load(command),
        *(SERVICES[name]["command"] for name in OURS),
    ):
        assert arguments.parser().parse_args(words).run is not None


def test_its_health_is_the_apps(tmp_path: Path) -> None:
    (check,) = [
        yaml.safe_load(line.partition("CMD ")[2])
        for line in instructions("HEALTHCHECK")
    ]
    apart = {"TAGGER_TAGGER__WITH_APP": "false"}
    with app_process(tmp_path, environment=apart) as app:
        assert run_by(check, url=app.url) == 0
        app.stop()
        assert run_by(check, url=app.url) != 0


# The containers


@each_of_ours
def test_what_they_are_told_are_settings(name: str, tmp_path: Path) -> None:
    told = image_environment() | SERVICES[name]["environment"]
    assert told["TAGGER_CONFIG"] == "/data/config.toml"
    settings = tmp_path / "config.toml"
    settings.write_text((ROOT / "config.toml").read_text("utf-8"), "utf-8")
    known = config.load({**told, "TAGGER_CONFIG": str(settings)})
    assert str(known.data_dir) == "/data"
    assert known.tagger.with_app is (name == "tagger")
    assert [server.url for server in known.servers] == ["http://ollama:11434"]
    override = config.load(
        {**told, **READ_ONLY[name]["environment"], "TAGGER_CONFIG": str(settings)}
    )
    assert override.metadata.write_mode is WriteMode.MIRROR
    assert str(override.mirror_dir) == "/data/mirror"


@each_service
def test_each_is_locked_up(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert [one.partition(":")[0] for one in service["tmpfs"]] == ["/tmp"]
    assert not {"privileged", "network_mode", "pid", "ipc", "cap_add"} & set(service)
    built = DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]
    assert built.is_file()
    assert set(service["build"]["args"]) == {"UID", "GID"}
    assert instructions("USER", built.read_text("utf-8")) == ["$UID:$GID"]


def test_only_the_app_is_reached_and_only_from_this_machine() -> None:
    published = {name: one.get("ports") for name, one in SERVICES.items()}
    assert published == {"app": ["127.0.0.1:8501:8501"], "tagger": None, "ollama": None}


def photos_in(service: dict[str, Any]) -> str:
    (mounted,) = [one for one in service["volumes"] if one.startswith("${")]
    return str(mounted).rpartition("}:")[2]


def test_only_the_tagger_may_write_to_photos_and_with_the_override_nobody() -> None:
    assert photos_in(SERVICES["app"]) == "/photos:ro"
    assert photos_in(SERVICES["tagger"]) == "/photos"
    assert photos_in(READ_ONLY["tagger"]) == "/photos:ro"


def test_their_volumes_belong_to_those_who_write_to_them() -> None:
    kept = set(compose("compose.yaml")["volumes"])
    used = {
        one.split(":")[0]: one.split(":")[1]
        for service in SERVICES.values()
        for one in service["volumes"]
        if not one.startswith("${")
    }
    assert used == {"data": "/data", "models": "/models"}
    assert kept == set(used)
    # A new volume begins as the folder of the image, with its owner.
    for text, folder in (
        (DOCKERFILE, "/data"),
        ((DEPLOY / "ollama.Dockerfile").read_text("utf-8"), "/models"),
    ):
        assert f'install -d -o "$UID" -g "$GID" -m 0700 {folder}' in text
        assert instructions("VOLUME", text) == [folder]


def test_a_write_may_end_before_the_tagger_is_killed() -> None:
    grace = str(SERVICES["tagger"]["stop_grace_period"])
    assert int(grace[:-1]) * MINUTE_S[grace[-1]] > config.Config().metadata.timeout_s
    # Without it the first process of a container does not hear of being asked to stop.
    assert all(service["init"] is True for service in SERVICES.values())


def test_the_taggers_health_is_its_lock(tmp_path: Path) -> None:
    kind, *check = SERVICES["tagger"]["healthcheck"]["test"]
    assert kind == "CMD"
    assert run_by(check, data=str(tmp_path)) == 1
    with presence.only_tagger(tmp_path):
        assert run_by(check, data=str(tmp_path)) == 0
