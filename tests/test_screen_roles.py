"""What screens do is refused to who may not, wherever the click comes from.

Each function that a click carries out is called as Streamlit calls it, as somebody of
each role: those below the one it takes change nothing, and who has it is in the log.
"""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st

from pages.parts import (
    asking,
    compare_list,
    compare_progress,
    compare_result,
    edit_told,
    folder_card,
    judge,
    person_card,
    review_desk,
    review_setting,
    saved_searches,
    setting_form,
    sql_editor,
    tag_pairs,
    tag_preview,
    token_form,
    who,
    words,
)
from tagger import acting
from tagger.acting import Person, Role
from tagger.catalogue import questions
from tagger.catalogue.facets import TagCount
from tagger.catalogue.tagpairs import Kind
from tagger.catalogue.tagtable import Suggestion
from tagger.errors import Forbidden
from tagger.records import WriteMode
from tagger.tracking import audit, comparisons, edits, folders, tokens, users
from tagger.tracking.reviewing import Decision
from tagger.tracking.users import User
from tagger.web import comparing, saved, searches
from tagger.web.api import recording
from tagger.web.tagchanges import Change, What
from tests.support_people import kept
from tests.support_web import Library, library, settings_file
from tests.test_roles import ROUTES, everything

# What the tables hold is read beside the program.
pytestmark = pytest.mark.sqlite

DOG = TagCount(1, "dog", 2)
BEACH = TagCount(2, "beach", 1)
PAIR = Suggestion(DOG, BEACH, Kind.SPELLING)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """Two photos, and one of each thing that can be changed."""
    place = tmp_path_factory.mktemp("screens")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TAGGER_CONFIG", str(settings_file(place)))
        patch.setenv("TAGGER_DATA_DIR", str(place / "data"))
        yield from _filled(place)


def _filled(place: Path) -> Iterator[Library]:
    with library(place) as made:
        made.photo("one.jpg", "dog", "beach")
        made.photo("two.jpg", "dog", colour="blue")
        opened = made.opened
        edits.change(opened.db, ids=[1], add=["walk"])
        opened.take()
        saved.save(opened.config.data_dir, "How many", "SELECT 1")
        searches.save(opened.config.data_dir, "Dogs", "dog")
        wishes = [
            comparing.wish(opened.config, server="builtin"),
            comparing.wish(opened.config, server=opened.config.servers[0].called),
        ]
        comparing.make(opened, wishes)
        for role in reversed(Role):
            users.add(opened.db, role.value, role=role, password=kept())
        tokens.make(opened.db, "viewer", "a script", days=1)
        yield made


@pytest.fixture(autouse=True)
def _same_settings(photos: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has the settings file of the library, and none of its own."""
    monkeypatch.setenv("TAGGER_CONFIG", str(settings_file(photos.root.parent)))
    monkeypatch.setenv("TAGGER_DATA_DIR", str(photos.opened.config.data_dir))


def viewer(made: Library) -> User:
    found = users.called(made.opened.db, "viewer")
    assert found is not None
    return found


def _name(text: str) -> None:
    for key in ("saved_new_name", "saved_name", "sql_name"):
        st.session_state[key] = text
    st.session_state["sql_text"] = "SELECT 2"


def rename_search(made: Library) -> None:
    _name("Hounds")
    saved_searches._rename(made.opened.config.data_dir, "Dogs")


def save_search(made: Library) -> None:
    _name("Mine")
    saved_searches._save(made.opened.config.data_dir, "dog", "")


def save_question(made: Library) -> None:
    _name("Mine")
    sql_editor._save(made.opened.config.data_dir)


def change(what: What, *tags: str, to: str = "") -> Callable[[Library], None]:
    asked = Change(what=what, tags=tags, to=to)
    return lambda made: tag_preview._go(made.opened, asked)


def prefer(made: Library) -> None:
    whole = comparisons.whole(made.opened.db, 1)
    compare_result._prefer(made.opened, 1, whole.comparison.contenders[0])


def photo(made: Library) -> int:
    return questions.image(made.opened.catalogue, 1).id


def folder(made: Library) -> folders.Folder:
    return folders.get(made.opened.db, made.folder_id)


E, A = Role.EDITOR, Role.ADMIN
ACTIONS: list[tuple[str, Role, Callable[[Library], object]]] = [
    ("change image", E, lambda m: words.change(m.opened, 1, {"add": "sea"})),
    ("change image", E, lambda m: words.change(m.opened, 1, {"description": "So."})),
    ("use answer", E, lambda m: words.use(m.opened, 1, 1)),
    ("undo edit", E, lambda m: edit_told._undo(1)),
    ("want now", E, lambda m: asking._ask(m.opened, photo(m), None, again=True)),
    ("rename tag", E, change(What.RENAME, "dog", to="hound")),
    ("merge tags", E, change(What.MERGE, "dog", "beach", to="dog")),
    ("delete tag", E, change(What.DELETE, "dog")),
    ("add synonym", A, change(What.SYNONYM, "dog", to="hound")),
    ("add ban", A, change(What.BAN, "dog")),
    ("dismiss", E, lambda m: tag_pairs._dismiss(m.opened, PAIR)),
    ("recall", E, lambda m: tag_pairs._recall(m.opened, "dog", "beach")),
    (
        "decide many",
        E,
        lambda m: review_desk.decide(m.opened, [1], Decision.ACCEPT),
    ),
    ("rename search", E, rename_search),
    ("save search", E, save_search),
    (
        "remove search",
        E,
        lambda m: saved_searches._delete(m.opened.config.data_dir, "Dogs"),
    ),
    ("save question", E, save_question),
    (
        "remove question",
        E,
        lambda m: sql_editor._remove(m.opened.config.data_dir, "How many"),
    ),
    ("cancel comparison", E, lambda m: compare_progress._cancel(m.opened, 1)),
    ("continue comparison", E, lambda m: compare_progress._go_on(m.opened, 1)),
    (
        "choose",
        E,
        lambda m: judge.keep(m.opened, {"comparison": 1, "choices": [[1, "tie"]]}),
    ),
    (
        "unchoose",
        E,
        lambda m: judge.keep(m.opened, {"comparison": 1, "choices": [[1, None]]}),
    ),
    ("prefer", A, prefer),
    ("remove comparison", E, lambda m: compare_list._delete(m.opened, 1)),
    (
        "change folder",
        A,
        lambda m: folder_card._set_mode(m.opened.db, m.folder_id, WriteMode.NONE),
    ),
    (
        "change folder",
        A,
        lambda m: review_setting._set(m.opened.db, m.folder_id, True),
    ),
    (
        "bind folder",
        A,
        lambda m: folder_card._bind(m.opened.db, m.folder_id, ["builtin"]),
    ),
    (
        "activate folder",
        A,
        lambda m: folder_card._set_active(m.opened.db, m.folder_id, False),
    ),
    ("scan folder", A, lambda m: folder_card._scan(m.opened.db, m.folder_id)),
    ("remove folder", A, lambda m: folder_card._remove(m.opened.db, folder(m))),
    (
        "save config",
        A,
        lambda m: setting_form.save(m.opened, {"model": {"tags_max": 7}}),
    ),
    (
        "change role",
        A,
        lambda m: person_card._set_role(m.opened, viewer(m), Role.ADMIN),
    ),
    (
        "revoke token",
        A,
        lambda m: token_form._revoke(
            m.opened, tokens.every(m.opened.db, "viewer")[0], Role.ADMIN
        ),
    ),
    ("sign out user", A, lambda m: person_card._end(m.opened, viewer(m))),
    ("remove user", A, lambda m: person_card._gone(m.opened, viewer(m))),
]
IDS = [f"{number}-{what}" for number, (what, _, _) in enumerate(ACTIONS)]


def state(made: Library) -> dict[str, object]:
    settings = Path(os.environ["TAGGER_CONFIG"]).read_text()
    return {
        **everything(made),
        "settings": settings,
        "tokens": tokens.every(made.opened.db),
    }


@pytest.mark.parametrize(("what", "needs", "act"), ACTIONS, ids=IDS)
def test_who_may_not_changes_nothing(
    photos: Library, what: str, needs: Role, act: Callable[[Library], object]
) -> None:
    before = state(photos)
    known = audit.read(photos.opened.db, limit=99)
    for role in Role:
        if role.includes(needs):
            break
        someone = Person("vera", role, "screen")
        # Told on the screen, or by whoever called.
        with acting.as_person(someone), contextlib.suppress(Forbidden):
            act(photos)
    assert state(photos) == before
    assert audit.read(photos.opened.db, limit=99) == known


@pytest.mark.parametrize(("what", "needs", "act"), ACTIONS, ids=IDS)
def test_who_may_is_in_the_log(
    photos: Library, what: str, needs: Role, act: Callable[[Library], object]
) -> None:
    with acting.as_person(Person("ed", needs, "screen")):
        act(photos)
    entry = audit.read(photos.opened.db, limit=1)[0]
    assert (entry.what, entry.who, entry.role) == (what, "ed", str(needs))
    # What was carried out before may have left nothing to do.
    assert entry.outcome is not None
    assert entry.outcome.startswith(("done", "refused"))


def test_a_look_at_what_would_change_is_for_who_may_change_it(photos: Library) -> None:
    known = audit.read(photos.opened.db, limit=99)
    for role in Role:
        with acting.as_person(Person("vera", role, "screen")):
            assert who.may(Role.EDITOR) is role.includes(Role.EDITOR)
            if not role.includes(Role.EDITOR):
                with pytest.raises(Forbidden, match="needs an editor"), who.trying():
                    pass
                continue
            with who.trying():
                edits.replace(photos.opened.db, ["dog"], "hound", dry_run=True)
    assert audit.read(photos.opened.db, limit=99) == known


def test_the_log_has_a_name_of_its_own_only_for_routes_there_are() -> None:
    assert set(recording._CALLED) <= set(ROUTES)
