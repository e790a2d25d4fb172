"""The shipped systemd units: systemd takes them, and so does the program."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tagger import config
from tagger.cli import arguments
from tests.support_web import ROOT

UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
APP, TAGGER = UNITS
PROGRAM, STATE = "/opt/image-tagger", "/var/lib/image-tagger"
PYTHON = f"{PROGRAM}/.venv/bin/python"
DOCS = (ROOT / "docs" / "DEPLOY.md").read_text("utf-8")

each_unit = pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)


def directives(unit: Path) -> list[tuple[str, str]]:
    lines = unit.read_text("utf-8").splitlines()
    pairs = [line.partition("=") for line in lines if line and line[0] not in "#["]
    return [(name, value) for name, _, value in pairs]


def the(name: str, unit: Path) -> str:
    (value,) = [value for known, value in directives(unit) if known == name]
    return value


def seconds(name: str, unit: Path) -> float:
    return float(the(name, unit))


@pytest.fixture
def here(tmp_path: Path) -> list[str]:
    """The units with a Python that exists; nothing else of them is changed."""
    made = []
    for unit in UNITS:
        text = unit.read_text("utf-8")
        assert f"ExecStart={PYTHON} " in text
        path = tmp_path / unit.name
        path.write_text(text.replace(PYTHON, sys.executable), "utf-8")
        made.append(str(path))
    return made


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", "--no-pager", *arguments], capture_output=True, text=True
    )


def test_systemd_has_nothing_to_say_against_them(here: list[str]) -> None:
    answer = analyze("verify", *here)
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")


def test_systemd_would_say_something_against_a_misspelt_one(here: list[str]) -> None:
    unit = Path(here[0])
    unit.write_text(unit.read_text().replace("PrivateTmp=", "PrivateTemp="))
    assert "PrivateTemp" in analyze("verify", str(unit)).stderr


@each_unit
def test_little_is_left_to_them(unit: Path, here: list[str]) -> None:
    """Of ten points of exposure, as systemd counts them, at most two."""
    path = here[UNITS.index(unit)]
    answer = analyze("security", "--offline=true", "--threshold=20", path)
    assert answer.returncode == 0, answer.stdout


@each_unit
def test_their_commands_are_commands_of_the_program(unit: Path) -> None:
    python, *words = shlex.split(the("ExecStart", unit))
    assert (python, words[:2]) == (PYTHON, ["-m", "tagger"])
    options = arguments.parser().parse_args(words[2:])
    assert options.run is not None
    assert words[2:] == (["serve"] if unit == APP else ["run"])


@each_unit
def test_their_settings_are_settings(unit: Path, tmp_path: Path) -> None:
    given = dict(
        value.split("=", 1) for name, value in directives(unit) if name == "Environment"
    )
    settings = tmp_path / "config.toml"
    settings.write_text((ROOT / "config.toml").read_text("utf-8"), "utf-8")
    assert given["TAGGER_CONFIG"] == f"{STATE}/config.toml"
    known = config.load({**given, "TAGGER_CONFIG": str(settings)})
    assert str(known.data_dir) == f"{STATE}/data"
    assert known.tagger.with_app is (unit == TAGGER)
    assert known.app.host == "127.0.0.1"


@each_unit
def test_their_paths_are_those_of_the_instructions(unit: Path) -> None:
    named = {
        path.strip("-")
        for name in ("WorkingDirectory", "ReadWritePaths")
        for path in the(name, unit).split()
    }
    assert named <= {PROGRAM, STATE, "/srv/photos"}
    assert all(f"`{path}`" in DOCS for path in named)
    assert the("StateDirectory", unit) == Path(STATE).name
    assert the("User", unit) == the("Group", unit) == "image-tagger"


def test_both_are_locked_up_alike_and_only_the_tagger_may_write_to_photos() -> None:
    ours, theirs = (dict(directives(unit)) for unit in UNITS)
    lock = list(ours)[list(ours).index("UMask") :]
    assert len(lock) > 20
    differs = {name for name in lock if ours[name] != theirs[name]}
    assert differs == {"ReadWritePaths"}
    assert "/srv/photos" in theirs["ReadWritePaths"]
    assert "/srv/photos" not in ours["ReadWritePaths"]


def test_a_write_may_end_before_the_tagger_is_killed() -> None:
    assert seconds("TimeoutStopSec", TAGGER) > config.Config().metadata.timeout_s
    # Were exiftool asked to stop beside it, the write would fail.
    assert the("KillMode", TAGGER) == "mixed"
