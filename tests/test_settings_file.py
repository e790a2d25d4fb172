"""Editing `config.toml` from a screen: checked first, comments kept, nothing silent."""

from pathlib import Path
from typing import Any

import pytest

from tagger import acting, config
from tagger.acting import Person, Role
from tagger.errors import ConfigError, Forbidden, UsageError
from tagger.web import masking, settings

TEXT = """\
# Image Tagger

[app]
port = 8501  # where the browser finds it

[model]
# 0 is sober, 2 is wild
temperature = 0.1
preferred_tags = ["dog"]

# one table for each server
[[servers]]
url = "http://127.0.0.1:11434"  # this machine
model = "gemma3:4b"

[scan]
watch = true
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "config.toml"
    file.write_text(TEXT)
    monkeypatch.setenv("TAGGER_CONFIG", str(file))
    return file


def test_an_edit_keeps_every_comment_and_everything_else(path: Path) -> None:
    saved = settings.save({"model": {"temperature": 0.5}})

    assert saved.config.model.temperature == 0.5
    assert saved.changed == ("model.temperature",)
    assert path.read_text() == TEXT.replace("= 0.1", "= 0.5")


def test_a_key_that_was_not_in_the_file_is_added_to_its_section(path: Path) -> None:
    settings.save({"scan": {"interval_min": 3}, "retry": {"attempts": 2}})

    loaded = config.load()
    assert (loaded.scan.interval_min, loaded.retry.attempts) == (3.0, 2)
    assert path.read_text().startswith(TEXT)


def test_null_brings_the_default_back(path: Path) -> None:
    saved = settings.save({"model": {"preferred_tags": None}})

    assert saved.config.model.preferred_tags == ()
    assert "preferred_tags" not in path.read_text()


def test_servers_are_edited_in_place_added_and_dropped(path: Path) -> None:
    first = {"url": "http://127.0.0.1:11434", "model": "llava"}
    second = {"url": "http://gpu:8080", "kind": "openai", "model": "qwen"}

    settings.save({"servers": [first, second]})
    assert [server.model for server in config.load().servers] == ["llava", "qwen"]
    assert "# this machine" in path.read_text()

    settings.save({"servers": [second]})
    assert [server.kind for server in config.load().servers] == ["openai"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"app": {"port": 0}}, "app.port = 0"),
        ({"app": {"prot": 1}}, "app.prot"),
        ({"apps": {"port": 1}}, "apps"),
        ({"app": 3}, "app is a section"),
        ({"servers": []}, "servers"),
        ({"servers": [{"url": "ftp://x"}]}, "servers.0.url"),
        ({"model": {"preferred_tags": [None]}}, "preferred_tags"),
    ],
)
def test_a_bad_edit_names_the_key_and_changes_no_byte(
    path: Path, changes: dict[str, object], said: str
) -> None:
    with pytest.raises(ConfigError, match=said.replace(".", r"\.")):
        settings.save(changes)

    assert path.read_text() == TEXT
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("variable", "value", "changes"),
    [
        ("PORT", "9000", {"app": {"port": 9001}}),
        ("TAGGER_MODEL__TEMPERATURE", "1", {"model": {"temperature": 0.2}}),
        ("OLLAMA_MODEL", "llava", {"servers": [{"model": "other"}]}),
    ],
)
def test_an_edit_that_a_variable_would_cover_is_refused_with_its_name(
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    changes: dict[str, object],
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(UsageError, match=variable):
        settings.save(changes)

    assert path.read_text() == TEXT


def test_a_form_that_sends_the_value_in_force_edits_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORT", "9000")

    saved = settings.save(
        {"app": {"port": 9000}, "scan": {"watch": True, "interval_min": 15}}
    )

    assert saved.changed == ()
    assert path.read_text() == TEXT


def test_what_only_a_restart_brings_is_named(path: Path) -> None:
    saved = settings.save({"app": {"port": 9001}, "scan": {"watch": False}})

    assert saved.restart == ("app.port",)


def test_a_symbolic_link_to_the_file_stays_a_link(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = tmp_path / "linked.toml"
    link.symlink_to(path)
    monkeypatch.setenv("TAGGER_CONFIG", str(link))

    settings.save({"scan": {"watch": False}})

    assert link.is_symlink()
    assert "watch = false" in path.read_text()


def test_variables_that_hold_settings_are_listed_by_key(path: Path) -> None:
    environ = {"PORT": "1", "TAGGER_SCAN__WATCH": "0", "OLLAMA_SERVER": "http://a:1"}

    assert settings.overridden(environ) == {
        "app.port": "PORT",
        "scan.watch": "TAGGER_SCAN__WATCH",
        "servers.url": "OLLAMA_SERVER",
    }


def test_a_password_that_is_shown_masked_stays_when_it_is_saved(path: Path) -> None:
    url = "postgresql://ann:s3cret:@host/photos"
    path.write_text(TEXT + f'\n[tracking]\nurl = "{url}"\n')
    now = config.load().model_dump(mode="json")
    shown = masking.masked(now)
    assert shown["tracking"]["url"] == "postgresql://ann:***@host/photos"
    assert "s3cret" not in str(shown)

    shown["model"]["temperature"] = 0.4
    saved = settings.save(shown)

    assert saved.changed == ("model.temperature",)
    assert config.load().tracking.url == url
    other = {"tracking": {"url": "postgresql://ann:new@host/photos"}}
    assert settings.save(other).config.tracking.url == other["tracking"]["url"]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://127.0.0.1:11434", "http://127.0.0.1:11434"),
        ("http://me:pw@host:1/v1", "http://me:***@host:1/v1"),
        ("http://:pw@host", "http://:***@host"),
        ("postgresql://me@host/a?password=pw&x=1", None),
        ("https://tiles.example.org/{z}/{x}:1@2.png", None),
    ],
)
def test_only_a_password_is_masked(url: str, shown: str | None) -> None:
    found = masking.masked([{"url": url}])[0]["url"]
    assert found == (shown or url.replace("password=pw", "password=***"))
    assert masking.restored([{"url": found}], [{"url": url}]) == [{"url": url}]


ELSEWHERE = Person("anna", Role.ADMIN, "screen")
HERE = Person("this machine", Role.ADMIN, "screen", is_here=True)
KEYED = {"url": "http://gpu:8080", "api_key_env": "GPU_KEY", "model": "qwen"}
OF_THE_MACHINE = [
    {"auth": {"mode": "open"}},
    {"auth": {"hosts": ["photos.example"]}},
    {"data": {"catalogue": "elsewhere.duckdb"}},
    {"tracking": {"url": "postgresql://there/photos"}},
    {"app": {"host": "0.0.0.0"}},
    {"app": {"port": 8600}},
    {"metadata": {"exiftool": "/tmp/other"}},
    {"metadata": {"mirror_dir": "/tmp/mirror"}},
    {"semantic": {"api_key_env": "HOME"}},
    {"servers": [KEYED]},
]


@pytest.mark.parametrize("changes", OF_THE_MACHINE)
def test_what_the_machine_is_told_only_who_sits_at_it_changes(
    path: Path, changes: dict[str, Any]
) -> None:
    with (
        acting.as_person(ELSEWHERE),
        acting.on_record(),
        pytest.raises(Forbidden, match="at the machine"),
    ):
        settings.save(changes)
    assert path.read_text() == TEXT
    with acting.as_person(HERE), acting.on_record():
        assert settings.save(changes).changed


def test_an_admin_elsewhere_changes_all_the_rest(path: Path) -> None:
    settings.save({"servers": [KEYED]})
    with acting.as_person(ELSEWHERE), acting.on_record():
        settings.save({"model": {"temperature": 0.7}})
        settings.save({"servers": [{**KEYED, "model": "llava"}]})
    assert config.load().servers[0].model == "llava"


def test_a_key_is_sent_nowhere_else_by_an_admin_elsewhere(path: Path) -> None:
    settings.save({"servers": [KEYED]})
    with acting.as_person(ELSEWHERE), acting.on_record():
        with pytest.raises(Forbidden, match="api_key_env"):
            settings.save({"servers": [{**KEYED, "url": "http://mine:1"}]})
        with pytest.raises(Forbidden, match="api_key_env"):
            settings.save({"servers": [{**KEYED, "api_key_env": "HOME"}]})


def test_off_the_record_a_person_saves_nothing(path: Path) -> None:
    with acting.as_person(HERE), pytest.raises(Forbidden, match="nothing was changed"):
        settings.save({"model": {"temperature": 0.7}})
    assert path.read_text() == TEXT
