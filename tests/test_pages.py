"""The screens, each in its states, over a real library."""

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import charts, exports, facets, servers, wording
from tagger.catalogue.questions import TagCount, Wanted
from tagger.errors import shown
from tagger.records import ImageState, ServerReport, WriteMode
from tagger.tracking import (
    bindings,
    controls,
    folders,
    jobs,
    queueing,
    runs,
    status,
)
from tagger.tracking.database import Database
from tagger.web import runtime
from tests import support_pages as screens
from tests.support_catalogue import Photo, add_folder, tagged

pytestmark = pytest.mark.usefixtures("own_runtime")

HOSTILE = '<img src=x onerror="alert(1)"> [a](http://evil.example) *b* :smile: `c` $d$'


@pytest.fixture
def photo_dir(tmp_path: Path) -> Path:
    return tmp_path / "photos"


@pytest.fixture
def library(db: Database, photo_dir: Path) -> dict[str, int]:
    """Three photos with words, one that failed; their ids by name."""
    folder = add_folder(db, photo_dir)
    known = (
        Photo(
            name="beach.jpg",
            description="A dog on a beach.",
            tags=("dog", "beach"),
            taken_at="2024-05-05T14:03:00",
            camera="FUJIFILM X-T4",
            gps=(43.1912, -4.8326),
            found_tags=("holiday",),
        ),
        Photo(name="hill.jpg", description="A hill.", tags=("hill",), model="llava"),
        Photo(name="home.jpg", description="A dog at home.", tags=("dog",)),
        Photo(name="torn.jpg", failed="the file ends too early"),
    )
    ids = tagged(db, folder, *known)
    return dict(zip([str(photo.name) for photo in known], ids, strict=True))


@pytest.fixture
def hostile(db: Database, photo_dir: Path) -> int:
    """A photo whose every word tries to be markup."""
    photo = Photo(
        name=HOSTILE.replace("/", ""),
        description=HOSTILE,
        tags=(HOSTILE,),
        text=HOSTILE,
        camera=HOSTILE,
        found_tags=(f"found {HOSTILE}",),
    )
    return tagged(db, add_folder(db, photo_dir), photo)[0]


def click(test: AppTest, label: str) -> None:
    """Click the button with this label and let the page run."""
    next(found for found in test.button if found.label == label).click()
    test.run()


# -- a library without photos ---------------------------------------------------------


@pytest.mark.parametrize("name", ["dashboard", "gallery", "search"])
def test_an_empty_library_says_what_to_do(name: str) -> None:
    test = screens.screen(name)

    assert not test.exception
    assert "No photos yet" in screens.said(test)
    assert "Add a folder" in [found.label for found in test.button]


def test_the_way_out_of_an_empty_library_leads_to_the_folders() -> None:
    test = screens.screen("dashboard")

    click(test, "Add a folder")

    assert test.title[0].value == "Folders"


def test_a_library_that_is_being_looked_through_says_so(
    db: Database, photo_dir: Path
) -> None:
    add_folder(db, photo_dir)

    assert "Looking for photos" in screens.said(screens.screen("gallery"))


# -- each screen with photos ----------------------------------------------------------


@pytest.mark.parametrize("name", screens.EVERY)
@pytest.mark.usefixtures("library")
def test_every_screen_shows_without_a_fault(name: str) -> None:
    test = screens.screen(name)

    assert not test.exception
    assert not test.error
    assert test.title[0].value == name.capitalize()
    assert screens.given(test, "progress")["url"] == "/api/status"


@pytest.mark.usefixtures("library")
def test_the_dashboard_counts_and_says_what_failed_and_why() -> None:
    test = screens.screen("dashboard")

    figures = {metric.label: metric.value for metric in test.metric}
    assert figures["Photos"] == "4"
    assert figures["Tagged"] == "3"
    assert figures["Failed"] == "1"
    assert test.dataframe[0].value["Why"].tolist() == ["the file ends too early"]


def test_failed_photos_are_queued_again_by_a_click(
    db: Database, library: dict[str, int]
) -> None:
    test = screens.screen("dashboard")

    click(test, "Try failed photos again")

    assert status.read(db).failed == 0
    assert status.read(db).queued == 1


@pytest.mark.usefixtures("library")
def test_the_queue_is_paused_and_resumed_by_a_click(db: Database) -> None:
    controls.want_now(db, [4])
    test = screens.screen("dashboard")

    click(test, "Pause")

    assert controls.read(db).paused_at
    assert "Paused by you at" in screens.plain_text(test)
    click(test, "Resume")
    assert controls.read(db).paused_at is None


@pytest.mark.usefixtures("library")
def test_waiting_photos_are_taken_out_and_put_back_by_clicks(db: Database) -> None:
    jobs.retag(db, [1, 2])
    test = screens.screen("dashboard")

    click(test, "Take them out")

    assert (status.read(db).queued, status.read(db).tagged) == (0, 3)
    with db.write() as connection:
        queueing.set_all(connection, [1], state=ImageState.NEW.value)
    runtime.current().forget_status()
    test = screens.screen("dashboard")
    click(test, "Put 1 photo back")
    assert status.read(db).queued == 1


@pytest.mark.usefixtures("library")
def test_a_folder_goes_first_by_a_click(db: Database) -> None:
    controls.want_now(db, [4])
    test = screens.screen("dashboard")

    click(test, "Let them go first")

    [folder] = folders.every(db)
    assert controls.read(db).first == folder.path
    assert wording.plain(f"Photos in {shown(folder.path)}") in screens.said(test)


def test_a_card_of_a_server_tells_its_pace() -> None:
    new = ServerReport(url="http://box:1", kind="ollama", model="m", usable=True)
    assert servers.figures(new) == ["0 answered"]
    assert servers.place(replace(new, name="http://box:1")) == "http://box:1"
    assert servers.place(replace(new, name="cellar")) == "cellar · http://box:1"
    full = replace(
        new,
        answered=1200,
        photos_a_minute=41.2,
        median_s=4.13,
        median_wait_s=0.2,
        tokens_in=12_000,
        tokens_out=800,
    )
    assert servers.figures(full) == [
        "1,200 answered · 41 a minute",
        "4.1 s an answer · 0.20 s wait for a place",
        "12,000 tokens in · 800 out",
    ]


@pytest.mark.usefixtures("library")
def test_the_dashboard_shows_the_servers(db: Database) -> None:
    run = runs.begin(db, "run")
    report = {"state": "working", "message": None, "backend": "x"}
    away = ServerReport(
        url="http://far:1", kind="ollama", model="m", usable=False, problem="no route"
    )
    runs.report(db, run, servers=(away,), **report)  # type: ignore[arg-type]

    said = screens.said(screens.screen("dashboard"))

    assert wording.plain("http://far:1") in said
    assert "no route" in said


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (3, "under a minute"),
        (60, "about a minute"),
        (95, "about 2 minutes"),
        (3600, "about 60 minutes"),
        (7200, "about 2 hours"),
        (400_000, "about 5 days"),
    ],
)
def test_the_time_left_is_in_words(seconds: float, text: str) -> None:
    assert wording.duration(seconds) == text


def test_the_dashboard_says_that_the_built_in_model_stands_in(db: Database) -> None:
    run = runs.begin(db, "run")
    server = ServerReport(url="", kind="builtin", model="builtin", usable=True)
    runs.report(
        db,
        run,
        state="idle",
        message=None,
        backend="Using the built-in model, because nothing answers",
        servers=(server,),
    )

    said = screens.screen("dashboard").info[0].value

    assert said.startswith(wording.plain("Using the built-in model, because nothing"))
    assert "Settings, Model servers" in said


def test_a_missing_exiftool_is_said_on_every_screen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TAGGER_METADATA__EXIFTOOL", "/nowhere/exiftool")

    for name in ("dashboard", "folders"):
        assert "exiftool is missing" in screens.screen(name).warning[0].value


@pytest.mark.usefixtures("library")
def test_what_the_app_has_to_say_is_said_on_every_screen() -> None:
    runtime.current().notices.set("address", "PORT=9 is ignored")

    said = screens.screen("gallery").warning[0].value

    assert said == wording.plain("PORT=9 is ignored")


# -- gallery --------------------------------------------------------------------------


@pytest.mark.usefixtures("library")
def test_the_gallery_shows_every_photo_the_newest_first() -> None:
    assert screens.photos(screens.screen("gallery")) == [
        "torn.jpg",
        "home.jpg",
        "hill.jpg",
        "beach.jpg",
    ]


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ({"tag": "dog"}, ["home.jpg", "beach.jpg"]),
        ({"tag": ["dog", "beach"]}, ["beach.jpg"]),
        ({"state": "failed"}, ["torn.jpg"]),
        ({"month": "2024-05"}, ["beach.jpg"]),
        ({"sort": "name"}, ["beach.jpg", "hill.jpg", "home.jpg", "torn.jpg"]),
        ({"folder": "1", "tag": "hill"}, ["hill.jpg"]),
    ],
)
def test_a_link_to_the_gallery_shows_what_it_names(
    address: dict[str, str | list[str]], expected: list[str]
) -> None:
    assert screens.photos(screens.screen("gallery", **address)) == expected


@pytest.mark.usefixtures("library")
def test_a_filter_chosen_on_screen_goes_into_the_address() -> None:
    test = screens.screen("gallery")

    test.multiselect(key="gallery_tag").set_value(["dog"]).run()
    test.selectbox(key="gallery_sort").set_value("oldest").run()

    assert screens.photos(test) == ["beach.jpg", "home.jpg"]
    assert test.query_params["tag"] == "dog"
    assert test.query_params["sort"] == "oldest"


@pytest.mark.usefixtures("library")
def test_filters_that_nothing_fits_offer_a_way_back() -> None:
    test = screens.screen("gallery", tag=["hill", "dog"])
    assert "No photo fits" in screens.said(test)

    click(test, "Clear the filters")

    assert len(screens.photos(test)) == 4


@pytest.mark.usefixtures("library")
def test_a_nonsense_address_shows_the_whole_gallery() -> None:
    test = screens.screen(
        "gallery", sort="sideways", state="odd", folder="x", photo="-"
    )

    assert not test.exception
    assert len(screens.photos(test)) == 4


@pytest.mark.usefixtures("library")
def test_an_address_of_a_page_that_is_none_is_answered_with_a_sentence() -> None:
    test = screens.screen("gallery", after="nonsense")

    assert not test.exception
    assert "start at page one" in test.error[0].value


def test_a_long_gallery_is_turned_page_by_page(db: Database, photo_dir: Path) -> None:
    folder = add_folder(db, photo_dir)
    tagged(db, folder, *(Photo(name=f"{n:03d}.jpg") for n in range(205)))
    test = screens.screen("gallery", sort="name")

    first = screens.photos(test)
    click(test, "Next")
    second = screens.photos(test)
    click(test, "Previous")
    again = screens.photos(test)

    assert first + second == [f"{n:03d}.jpg" for n in range(205)]
    assert again == first


# -- one photo ------------------------------------------------------------------------


def test_a_photo_shows_its_words_its_facts_and_its_original(
    library: dict[str, int],
) -> None:
    number = library["beach.jpg"]

    test = screens.screen("gallery", photo=str(number))

    assert screens.given(test, "words")["description"] == "A dog on a beach."
    facts = dict(screens.given(test, "facts")["facts"])
    assert facts["Taken"] == "5 May 2024, 14:03"
    assert facts["Camera"] == "FUJIFILM X-T4"
    assert facts["Place"] == "43.1912° N, 4.8326° W"
    link = screens.given(test, "downloads")["links"][0]
    assert link["url"] == f"/api/images/{number}/original"


def test_a_photo_says_who_said_each_tag(library: dict[str, int]) -> None:
    test = screens.screen("gallery", photo=str(library["beach.jpg"]))

    said = {tag["name"]: tag["note"] for tag in screens.given(test, "words")["tags"]}
    assert said["holiday"] == "found in the file"
    assert said["dog"] == "seen by gemma3:4b, 50% sure"


def test_a_photo_that_failed_says_why(library: dict[str, int]) -> None:
    test = screens.screen("gallery", photo=str(library["torn.jpg"]))

    assert "the file ends too early" in screens.plain_text(test)
    assert screens.given(test, "viewer")["missing"] == "the file ends too early"


def test_a_photo_knows_its_neighbours_in_the_list(library: dict[str, int]) -> None:
    viewer = screens.given(
        screens.screen("gallery", photo=str(library["hill.jpg"])), "viewer"
    )

    assert (viewer["before"], viewer["after"]) == (
        library["home.jpg"],
        library["beach.jpg"],
    )


@pytest.mark.usefixtures("library")
def test_a_link_to_a_photo_that_is_gone_says_so() -> None:
    test = screens.screen("gallery", photo="4711")

    assert not test.exception
    assert "no photo number 4711" in test.error[0].value


# -- search ---------------------------------------------------------------------------


@pytest.mark.usefixtures("library")
def test_a_search_shows_what_it_found_its_tags_and_its_exports() -> None:
    test = screens.screen("search", q="beach")

    assert screens.photos(test) == ["beach.jpg"]
    chips = screens.given(test, "chips")["chips"]
    assert {chip["name"] for chip in chips} == {"beach", "dog", "holiday"}
    labels = [link["label"] for link in screens.given(test, "downloads")["links"]]
    assert labels == ["CSV", "CSV, plain", "Parquet", "JSON lines", "XMP"]


@pytest.mark.usefixtures("library")
def test_a_half_typed_word_finds_what_begins_so() -> None:
    assert screens.photos(screens.screen("search", q="bea")) == ["beach.jpg"]


@pytest.mark.usefixtures("library")
def test_a_search_that_finds_nothing_says_what_to_try() -> None:
    assert "Nothing found" in screens.said(screens.screen("search", q="zebra"))


@pytest.mark.usefixtures("library")
def test_a_search_that_cannot_be_read_is_answered_with_a_sentence() -> None:
    test = screens.screen("search", q='"red')

    assert not test.exception
    assert "quote is not closed" in test.error[0].value


@pytest.mark.parametrize(
    ("query", "tag", "expected"),
    [
        ("", "dog", "tag:dog"),
        ("beach", "red car", 'beach tag:"red car"'),
        ("tag:dog beach", "dog", "beach"),
        ("tag:dogs", "dog", "tag:dogs tag:dog"),
        ("cat OR beach", "dog", "(cat OR beach) tag:dog"),
        ("cat", 'the "best"', 'cat tag:"the \\"best\\""'),
    ],
)
def test_a_tag_is_put_into_a_search_and_taken_out(
    query: str, tag: str, expected: str
) -> None:
    assert facets.toggled(query, facets.clause(tag)) == expected


def test_an_export_is_of_exactly_what_was_searched_for() -> None:
    link = exports.url(Wanted(query='dog & "red car"'), "csv")

    assert link == "/api/export?format=csv&q=dog+%26+%22red+car%22"


# -- folders --------------------------------------------------------------------------


def test_a_folder_is_added_with_what_was_chosen(db: Database, photo_dir: Path) -> None:
    photo_dir.mkdir()
    test = screens.screen("folders")

    test.text_input(key="folders_path").set_value(f' "{photo_dir}" ')
    test.radio(key="folders_mode").set_value(WriteMode.SIDECAR)
    click(test, "Add folder")

    (folder,) = folders.every(db)
    assert folder.path == os.fsencode(photo_dir)
    assert folder.write_mode is WriteMode.SIDECAR
    assert folder.recursive
    assert folder.active
    assert "was added" in test.success[0].value


def test_a_folder_is_added_with_a_mirror(
    db: Database, photo_dir: Path, tmp_path: Path
) -> None:
    photo_dir.mkdir()
    test = screens.screen("folders")

    test.text_input(key="folders_path").set_value(str(photo_dir))
    test.radio(key="folders_mode").set_value(WriteMode.MIRROR)
    test.text_input(key="folders_mirror").set_value(str(tmp_path / "words"))
    click(test, "Add folder")

    (folder,) = folders.every(db)
    assert folder.write_mode is WriteMode.MIRROR
    assert folder.mirror == os.fsencode(tmp_path / "words")
    assert str(tmp_path / "words") in [code.value for code in test.code]
    assert wording.WRITE_MODE_HELP[WriteMode.MIRROR] in screens.said(test)


def test_every_mode_is_offered_with_a_sentence() -> None:
    test = screens.screen("folders")

    assert list(test.radio(key="folders_mode").options) == [
        wording.WRITE_MODES[mode] for mode in WriteMode
    ]
    assert {*wording.WRITE_MODES} == {*wording.WRITE_MODE_HELP} == {*WriteMode}
    assert {*wording.FROM_NOW_ON} == {*wording.WRITTEN} == {*WriteMode}


@pytest.mark.parametrize("mode", [*WriteMode][1:])
def test_a_changed_mode_says_what_it_means(
    db: Database, library: dict[str, int], mode: WriteMode
) -> None:
    (folder,) = folders.every(db)
    test = screens.screen("folders")

    test.selectbox(key=f"folder_{folder.id}_mode").set_value(mode).run()

    assert test.toast[0].value == f"{wording.FROM_NOW_ON[mode]} {wording.STAYS}"
    assert wording.WRITE_MODE_HELP[mode] in screens.said(test)
    assert folders.get(db, folder.id).write_mode is mode


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("pictures", "not a whole path"),
        ("", "not a whole path"),
        ("/nowhere/at/all", "there is no such folder"),
    ],
)
def test_a_folder_that_cannot_be_added_is_refused_with_the_reason(
    db: Database, typed: str, reason: str
) -> None:
    test = screens.screen("folders")

    test.text_input(key="folders_path").set_value(typed)
    click(test, "Add folder")

    assert reason in test.error[0].value
    assert folders.every(db) == []


def test_a_folder_is_changed_where_it_stands(
    db: Database, library: dict[str, int]
) -> None:
    (folder,) = folders.every(db)
    test = screens.screen("folders")

    key = f"folder_{folder.id}"
    test.selectbox(key=f"{key}_mode").set_value(WriteMode.NONE).run()
    test.toggle(key=f"{key}_active").set_value(False).run()

    (folder,) = folders.every(db)
    assert folder.write_mode is WriteMode.NONE
    assert not folder.active


def test_a_folder_leaves_only_after_a_second_yes(
    db: Database, library: dict[str, int], photo_dir: Path
) -> None:
    (folder,) = folders.every(db)
    test = screens.screen("folders")

    test.button(key=f"folder_{folder.id}_remove").click().run()
    assert "No file is touched" in screens.said(test)
    assert folders.every(db) == [folder]
    test.button(key="folders_remove").click().run()

    assert folders.every(db) == []
    assert photo_dir.is_dir()


def test_a_folder_that_is_away_says_why(db: Database, library: dict[str, int]) -> None:
    (folder,) = folders.every(db)
    folders.set_offline(db, folder.id, "the disk is not connected")

    said = screens.screen("folders").warning[0].value

    assert said == wording.plain("the disk is not connected")


# -- settings -------------------------------------------------------------------------


def settings_tab(name: str) -> AppTest:
    test = screens.screen("settings")
    test.session_state["settings_tab"] = name
    return test.run()


def test_a_setting_is_saved_and_the_comments_stay(tmp_path: Path) -> None:
    test = settings_tab("Everything else")

    test.number_input(key="settings_model.temperature").set_value(0.7)
    test.button(key="settings_save_model").click().run()

    text = (tmp_path / "config.toml").read_text()
    assert "temperature = 0.7" in text
    assert "# What the tests set." in text
    assert test.success[0].value == "Saved."


def test_a_value_that_is_not_allowed_is_refused_and_nothing_saved(
    tmp_path: Path,
) -> None:
    test = settings_tab("Everything else")

    test.text_input(key="settings_model.language").set_value("x")
    test.button(key="settings_save_model").click().run()

    assert wording.plain("model.language") in test.error[0].value
    assert (tmp_path / "config.toml").read_text() == "# What the tests set.\n"


def test_a_setting_the_environment_holds_cannot_be_edited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TAGGER_MODEL__LANGUAGE", "French")

    field = settings_tab("Everything else").text_input(key="settings_model.language")

    assert field.disabled
    assert field.value == "French"


def test_a_server_that_does_not_answer_is_told_from_the_screen() -> None:
    test = screens.screen("settings")

    test.text_input(key="settings_servers.url_0").set_value("http://127.0.0.1:9")
    test.button(key="server_0_test").click().run()

    assert "does not answer" in test.error[0].value


def test_a_server_is_added_and_removed(tmp_path: Path) -> None:
    test = screens.screen("settings")

    test.button(key="server_add").click().run()
    assert (tmp_path / "config.toml").read_text().count("[[servers]]") == 2
    test.button(key="server_0_remove").click().run()

    assert (tmp_path / "config.toml").read_text().count("[[servers]]") == 1


def test_how_many_photos_a_server_gets_is_a_number_or_found_out(tmp_path: Path) -> None:
    test = screens.screen("settings")

    test.text_input(key="settings_servers.parallel_0").set_value("auto")
    test.text_input(key="settings_servers.name_0").set_value("box")
    test.button(key="server_0_save").click().run()
    assert 'parallel = "auto"' in (tmp_path / "config.toml").read_text()
    assert 'name = "box"' in (tmp_path / "config.toml").read_text()
    test.text_input(key="settings_servers.parallel_0").set_value("3")
    test.button(key="server_0_save").click().run()
    assert "parallel = 3" in (tmp_path / "config.toml").read_text()
    test.text_input(key="settings_servers.parallel_0").set_value("many")
    test.button(key="server_0_save").click().run()
    assert wording.plain('or "auto"') in test.error[0].value


def test_a_folder_is_bound_to_servers_with_a_click(
    db: Database, library: dict[str, int]
) -> None:
    [folder] = folders.every(db)
    key = f"folder_{folder.id}_servers"
    test = screens.screen("folders")

    test.multiselect(key=key).set_value(["builtin"]).run()
    assert folders.get(db, folder.id).servers == ("builtin",)
    assert test.multiselect(key=key).value == ["builtin"]
    test.multiselect(key=key).set_value([]).run()
    assert folders.get(db, folder.id).servers is None


def test_a_folder_bound_to_a_server_that_is_gone_says_so(
    db: Database, library: dict[str, int]
) -> None:
    [folder] = folders.every(db)
    bindings.bind(db, folder.id, ["attic"])

    said = screens.screen("folders").warning[0].value

    assert wording.plain("is bound to attic, which is no server") in said


def test_the_check_up_says_what_is_fine_and_what_to_do() -> None:
    test = settings_tab("Check-up")

    test.button(key="settings_check").click().run()

    assert not test.exception
    assert "exiftool: version" in screens.plain_text(test)
    assert "catalogue: equal to the tracking database" in screens.plain_text(test)


# -- words of strangers ---------------------------------------------------------------


def test_hostile_words_reach_the_wall_and_the_photo_as_they_are(hostile: int) -> None:
    test = screens.screen("gallery", photo=str(hostile))

    assert not test.exception
    assert screens.given(test, "grid")["photos"][0]["caption"] == HOSTILE
    assert screens.given(test, "viewer")["alt"] == HOSTILE
    assert HOSTILE in screens.plain_text(test)
    words = screens.given(test, "words")
    assert words["description"] == HOSTILE
    assert {tag["name"] for tag in words["tags"]} == {HOSTILE, f"found {HOSTILE}"}


@pytest.mark.parametrize("name", screens.EVERY)
@pytest.mark.usefixtures("hostile")
def test_no_screen_lets_hostile_words_act_as_markdown(name: str) -> None:
    test = screens.screen(name)

    assert not test.exception
    assert "<img src=x" not in screens.said(test)
    assert "](http://evil.example)" not in screens.said(test)


def test_a_hostile_path_is_refused_as_text() -> None:
    test = screens.screen("folders")

    test.text_input(key="folders_path").set_value("/nowhere/[a](http://x.example)<b>")
    click(test, "Add folder")

    assert "[a](" not in test.error[0].value
    assert r"\[a\]\(" in test.error[0].value


@pytest.mark.parametrize(
    "text", ["http://a.example", "www.a.example", "a@b.example", "a--b", "a->b", "a>=b"]
)
def test_what_would_become_a_link_or_a_sign_is_broken_up_unseen(text: str) -> None:
    shown = wording.plain(text).replace("\\", "")

    assert shown != text
    assert shown.replace("\u2060", "") == text


def test_scripts_of_the_screens_never_write_markup() -> None:
    for script in sorted(screens.PAGES.glob("**/*.js")):
        text = script.read_text()
        for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write"):
            assert way not in text, script.name


def test_the_screens_ask_nothing_of_the_outside() -> None:
    static = [*screens.PAGES.glob("parts/*.js"), *screens.PAGES.glob("parts/*.css")]
    config = screens.PAGES.parent / ".streamlit" / "config.toml"
    for path in [*static, config]:
        assert "https://" not in path.read_text(), path.name


# -- wording and charts ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-01-01T11:59:30.000Z", "just now"),
        ("2026-01-01T11:59:00.000Z", "1 minute ago"),
        ("2026-01-01T09:00:00.000Z", "3 hours ago"),
        ("2025-12-30T11:00:00.000Z", "2 days ago"),
    ],
)
def test_a_time_is_told_in_the_largest_unit(at: str, expected: str) -> None:
    assert wording.ago(at, datetime(2026, 1, 1, 12, tzinfo=UTC)) == expected


def test_months_without_a_photo_stand_in_the_chart_too() -> None:
    rows = charts.by_month([("2023-11", 2), ("2024-02", 1)])

    assert [row["taken"] for row in rows] == [
        "Nov 2023",
        "Dec 2023",
        "Jan 2024",
        "Feb 2024",
    ]
    assert [row["photos"] for row in rows] == [2, 0, 0, 1]


def test_a_long_time_is_counted_by_year() -> None:
    chart = charts.months_chart([("1999-05", 1), ("2024-02", 3), ("2024-03", 4)])

    spec = chart.to_dict()
    assert spec["title"] == "Photos by year taken"
    (rows,) = spec["datasets"].values()
    assert rows[-1] == {"taken": "2024", "photos": 7}
    assert len(rows) == 26


def test_the_tag_chart_has_a_title_a_unit_and_the_names_as_they_are() -> None:
    spec = charts.tags_chart([TagCount(1, HOSTILE, 3)]).to_dict()

    assert spec["title"] == "Most frequent tags"
    assert spec["encoding"]["x"]["title"] == "Photos"
    (rows,) = spec["datasets"].values()
    assert rows == [{"tag": HOSTILE, "photos": 3}]
