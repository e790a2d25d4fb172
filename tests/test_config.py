"""Settings: the environment beats the file, and mistakes are named in one line."""

import json
import tomllib
from pathlib import Path

import pytest

from tagger import config, sections
from tagger.config import Config
from tagger.errors import ConfigError
from tagger.records import WriteMode

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def load(tmp_path: Path, text: str = "", **environ: str) -> Config:
    path = tmp_path / "config.toml"
    path.write_text(text)
    return config.load({"TAGGER_CONFIG": str(path), **environ})


def test_the_defaults_are_those_of_the_shipped_file() -> None:
    shipped = config.check(config.read_file(ROOT / "config.toml"))
    assert shipped == Config()


def test_the_defaults_are_as_promised() -> None:
    default = Config()
    [server] = default.servers
    assert (server.url, server.model) == ("http://127.0.0.1:11434", "gemma3:4b")
    assert (server.timeout_s, default.model.temperature) == (300, 0.1)
    assert (default.retry.attempts, default.retry.wait_max_s) == (5, 30)
    assert default.metadata.write_mode is WriteMode.FILE
    assert (default.app.host, default.app.port) == ("127.0.0.1", 8501)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[scan]\nintervall = 3", "there is no setting called scan.intervall"),
        ("[skan]\nx = 3", "there is no setting called skan"),
        ("[app]\nport = 99999", "app.port = 99999 is not allowed: .*65535"),
        (
            '[model]\nbackend = "llama"',
            "model.backend = 'llama' is not allowed: .*auto",
        ),
        ('[[servers]]\nurl = "11434"', "servers.0.url = '11434' is not allowed"),
        ("[app\nport = 1", "not valid TOML"),
        ("servers = 3", "servers = 3 is not allowed"),
        ("app = 3", r"app = 3 is not allowed: it must be a section, \[app\]"),
        ('[schedule]\nwindow = "22-7"', "schedule.window = '22-7' .*\"22:00-07:00\""),
        ('[schedule]\nwindow = "08:00-08:00"', "schedule.window = '08:00-08:00'"),
        ('[schedule]\ntimezone = "Rome"', "schedule.timezone = 'Rome' .*Europe/Rome"),
        ("[model]\ntags_min = 30", "tags_min \\(30\\) must not be above tags_max"),
    ],
)
def test_a_mistake_is_named_with_what_is_allowed(
    tmp_path: Path, text: str, says: str
) -> None:
    with pytest.raises(ConfigError, match=says) as raised:
        load(tmp_path, text)
    assert "\n" not in str(raised.value)


def test_the_environment_beats_the_file(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        '[scan]\ninterval_min = 1\n[[servers]]\nmodel = "a"\nparallel = 3',
        TAGGER_SCAN__INTERVAL_MIN="7",
        OLLAMA_SERVER="http://one:1, http://two:2",
        OLLAMA_MODEL="b",
        DB_PATH="/elsewhere/c.duckdb",
        TAGGER_DATA_DIR="/elsewhere",
        HOST="127.0.0.2",
        PORT="9000",
    )
    assert found.scan.interval_min == 7
    assert [(s.url, s.model, s.parallel) for s in found.servers] == [
        ("http://one:1", "b", 3),
        ("http://two:2", "b", 3),
    ]
    assert found.catalogue_path == Path("/elsewhere/c.duckdb")
    assert found.tracking_path == Path("/elsewhere/tracking.db")
    assert (found.app.host, found.app.port) == ("127.0.0.2", 9000)


def test_the_servers_can_be_given_as_json(tmp_path: Path) -> None:
    servers = json.dumps([{"url": "http://a:1", "kind": "openai", "model": "m"}])
    found = load(tmp_path, '[[servers]]\nmodel = "other"', TAGGER_SERVERS=servers)
    assert [(s.url, s.kind, s.model) for s in found.servers] == [
        ("http://a:1", "openai", "m")
    ]


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"PORT": "abc"}, "^PORT: app.port = 'abc'"),
        ({"OLLAMA_SERVER": "box"}, "^OLLAMA_SERVER: servers.0.url = 'box'"),
        ({"TAGGER_SCAN__SETTLE_S": "-1"}, "^TAGGER_SCAN__SETTLE_S: "),
    ],
)
def test_a_bad_variable_is_named_itself(
    tmp_path: Path, environ: dict[str, str], says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        load(tmp_path, **environ)


def test_a_file_that_is_no_text_or_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_bytes(b"\xff\xfe")
    for path in (tmp_path / "x.toml", tmp_path):
        with pytest.raises(ConfigError):
            config.load({"TAGGER_CONFIG": str(path)})


def test_a_misspelt_variable_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="TAGGER_SCAN__INTERVALL"):
        load(tmp_path, TAGGER_SCAN__INTERVALL="3")


def test_servers_that_are_no_json_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no valid JSON"):
        load(tmp_path, TAGGER_SERVERS="http://a:1")


def test_a_named_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such settings file"):
        config.load({"TAGGER_CONFIG": str(tmp_path / "none.toml")})


def settings() -> list[tuple[str, str]]:
    with (ROOT / "config.toml").open("rb") as file:
        shipped = tomllib.load(file)
    return [
        (section, key)
        for section, values in shipped.items()
        for key in (values[0] if isinstance(values, list) else values)
    ]


def test_the_shipped_file_has_every_setting() -> None:
    known = set()
    for section, field in Config.model_fields.items():
        model = sections.Server if section == "servers" else field.annotation
        known |= {(section, key) for key in model.model_fields}  # type: ignore[union-attr]
    assert set(settings()) == known


@pytest.mark.parametrize(("section", "key"), settings())
def test_every_setting_is_in_the_readme(section: str, key: str) -> None:
    assert f"`{section}.{key}`" in README


@pytest.mark.parametrize(
    ("text", "watch"),
    [("true", "auto"), ("false", "never"), ('"always"', "always")],
)
def test_yes_and_no_still_tell_whether_folders_are_watched(
    tmp_path: Path, text: str, watch: str
) -> None:
    assert load(tmp_path, f"[scan]\nwatch = {text}").scan.watch == watch
    spelt = text.strip('"')
    assert load(tmp_path, TAGGER_SCAN__WATCH=spelt).scan.watch == watch
