"""The Settings screen: each setting with what the file says of it; servers tried."""

from collections.abc import Iterator

import pytest

from pages.parts import setting_form, wording
from tagger import config
from tagger.config import Config
from tagger.sections import Server
from tagger.web import comments, settings
from tests import support_pages as screens
from tests.ollama_double import OllamaDouble
from tests.test_pages import HOSTILE, settings_tab

pytestmark = pytest.mark.usefixtures("own_runtime")

EVERY = [
    f"{section}.{key}"
    for section in Config.model_fields
    if section != "servers"
    for key in type(getattr(Config(), section)).model_fields
]


def test_every_section_is_on_the_screen() -> None:
    assert {*setting_form.TITLES} == {*Config.model_fields} - {"servers"}


@pytest.mark.parametrize(
    "key", [*EVERY, *(f"servers.{k}" for k in Server.model_fields)]
)
def test_every_setting_has_its_comment_and_its_variable(key: str) -> None:
    assert comments.every().get(key, "").endswith((".", ". ")), key
    variable = settings.variable(key)
    section, _, name = key.partition(".")
    if section != "servers":
        assert variable in (f"TAGGER_{section}__{name}".upper(), "TAGGER_DATA_DIR")


def test_the_screen_says_what_the_file_says() -> None:
    test = settings_tab("Everything else")
    shown = {
        *(one.key for one in test.text_input),
        *(one.key for one in test.number_input),
        *(one.key for one in test.selectbox),
        *(one.key for one in test.toggle),
        *(one.key for one in test.text_area),
    }
    assert {f"settings_{key}" for key in EVERY} <= shown
    helped = test.number_input(key="settings_scan.interval_min").help
    assert wording.plain("How often folders are looked through, in minutes.") in helped
    assert wording.plain("TAGGER_SCAN__INTERVAL_MIN") in helped


def test_a_variable_that_holds_a_setting_is_the_one_that_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(settings.variable("scan.interval_min"), "7")
    assert config.load().scan.interval_min == 7
    assert "scan.interval_min" in settings.overridden()


def test_comments_hold_for_the_settings_right_below() -> None:
    text = """# Of the file.

[one]
# Of two
# lines.
a = 1
b = 2
# Another.
c = 3

d = 4
"""
    assert comments.parsed(text) == {
        "one.a": "Of two lines.",
        "one.b": "Of two lines.",
        "one.c": "Another.",
    }


@pytest.fixture
def ollama() -> Iterator[OllamaDouble]:
    answer = {"description": f"Two dogs {HOSTILE}", "tags": ["dog", "snow"], "text": ""}
    with OllamaDouble(lambda _jpeg, _request: answer) as double:
        yield double


def test_a_server_is_tried_with_a_sample_photo(ollama: OllamaDouble) -> None:
    test = screens.screen("settings")
    test.text_input(key="settings_servers.url_0").set_value(ollama.url)
    test.button(key="server_0_sample").click().run()
    assert not test.exception
    assert "answered in" in test.success[0].value
    assert f"Two dogs {HOSTILE}" in screens.plain_text(test)
    assert "dog, snow" in screens.plain_text(test)
    [asked] = ollama.asked
    assert asked.image[:2] == b"\xff\xd8"


def test_a_server_that_is_away_is_told_when_it_is_tried() -> None:
    test = screens.screen("settings")
    test.text_input(key="settings_servers.url_0").set_value("http://127.0.0.1:9")
    test.button(key="server_0_sample").click().run()
    assert "does not answer" in test.error[0].value
    test.text_input(key="settings_servers.url_0").set_value("no address")
    test.button(key="server_0_sample").click().run()
    assert "must be an address" in test.error[0].value


def test_where_the_tagger_is_a_service_its_restart_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(settings.variable("tagger.with_app"), "false")
    test = settings_tab("Everything else")
    test.number_input(key="settings_scan.interval_min").set_value(7)
    test.button(key="settings_save_scan").click().run()
    (said,) = [info.value for info in test.info if "Saved" in info.value]
    assert "has it when restarted" in said


def test_who_starts_the_tagger_is_settled_at_the_start_of_the_app() -> None:
    saved = settings.save({"tagger": {"with_app": False}})
    assert saved.restart == ("tagger.with_app",)
