"""The Review screen in each of its states, and what the API says of what waits."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pages.parts.selection import Selection
from tagger.catalogue import questions
from tagger.tracking import folders, reviewing
from tests import support_pages as screens
from tests.support_web import Library, library, served
from tests.test_pages import click

pytestmark = pytest.mark.usefixtures("own_runtime")


@pytest.fixture
def photos(tmp_path: Path) -> Iterator[Library]:
    """A reviewed folder with two photos that wait, and one done before that."""
    with library(tmp_path) as made:
        made.photo("old.jpg", "old", colour="green")
        folders.set_review(made.opened.db, made.folder_id, True)
        made.photo("dog.jpg", "dog", "beach", description="A dog.", colour="blue")
        made.photo("cat.jpg", "cat", description="A <b>cat</b>.", colour="red")
        yield made


def waiting(photos: Library) -> int:
    photos.opened.take()
    photos.opened.forget_status()
    return questions.counts(photos.opened.catalogue).review


def test_the_screen_asks_for_what_waits_and_the_menu_counts_it(photos: Library) -> None:
    test = screens.screen("review")

    assert not test.exception
    given = screens.given(test, "review")
    assert (given["total"], given["q"], given["folder_id"]) == (2, "", None)
    assert given["url"] == "/api/review"
    assert waiting(photos) == 2


def test_an_address_narrows_what_waits(photos: Library) -> None:
    narrowed = screens.screen("review", q="dog", folder=str(photos.folder_id))
    assert not narrowed.exception
    given = screens.given(narrowed, "review")
    assert (given["total"], given["q"]) == (1, "dog")
    assert given["folder_id"] == photos.folder_id
    none = screens.screen("review", q="horse", folder="99")
    assert "No photo fits" in screens.said(none)
    wrong = screens.screen("review", q="nonsense:x")
    assert not wrong.exception
    assert wrong.error


def test_all_that_is_found_is_decided_at_once(photos: Library) -> None:
    test = screens.screen("review", q="dog")
    click(test, "Accept all")

    assert not test.exception
    assert waiting(photos) == 1
    [dog] = questions.page(photos.opened.catalogue, _named("dog"), limit=2).images
    assert set(dog.tags) == {"dog", "beach"}
    test = screens.screen("review")
    click(test, "Reject all")
    assert waiting(photos) == 0
    assert "All reviewed" in screens.said(test)


def _named(name: str) -> questions.Wanted:
    return questions.Wanted(query=name)


def test_without_reviewed_folders_the_screen_says_what_it_is_for(
    tmp_path: Path,
) -> None:
    with library(tmp_path) as made:
        made.photo("old.jpg", "old")
        test = screens.screen("review")
        assert not test.exception
        assert "Nothing waits for review" in screens.said(test)
        click(test, "Look at the folders")
        assert test.title[0].value == "Folders"


def test_a_folder_is_set_to_review_on_its_card(photos: Library) -> None:
    test = screens.screen("folders")
    key = f"folder_{photos.folder_id}_review"
    assert test.selectbox(key=key).value is True
    test.selectbox(key=key).set_value(False).run()

    assert not test.exception
    assert not folders.get(photos.opened.db, photos.folder_id).review
    assert waiting(photos) == 2  # what waits goes on waiting
    click(test, "Review 2 photos")
    assert test.title[0].value == "Review"


def test_photos_that_wait_are_marked_counted_and_found(photos: Library) -> None:
    gallery = screens.given(screens.screen("gallery"), "grid")["photos"]
    marks = {one["name"]: one["mark"] for one in gallery}
    assert marks == {"old.jpg": None, "dog.jpg": "To review", "cat.jpg": "To review"}
    figures = {one.label: one.value for one in screens.screen("dashboard").metric}
    assert figures["To review"] == "2"
    found = questions.found(photos.opened.catalogue, "state:review")
    assert len(found) == 2


def test_a_photo_that_waits_leads_to_its_review(photos: Library) -> None:
    [dog] = questions.page(photos.opened.catalogue, _named("dog"), limit=2).images
    test = screens.screen("gallery", photo=str(dog.id))
    click(test, "Review what is proposed")
    assert not test.exception
    assert test.title[0].value == "Review"
    assert screens.given(test, "review")["total"] == 1


def test_what_waits_in_a_selection_is_accepted(photos: Library) -> None:
    test = screens.screen("gallery")
    selection = test.session_state["gallery_selection"]
    assert isinstance(selection, Selection)
    selection.take_all()
    test.run()
    click(test, "Accept all that wait")

    assert not test.exception
    assert "Changed 2 photos" in screens.said(test)
    assert waiting(photos) == 0
    gallery = screens.given(test, "grid")["photos"]
    assert {one["mark"] for one in gallery} == {None, "Waiting"}


def test_the_api_lists_what_waits_page_by_page(photos: Library) -> None:
    with served() as api:
        first = api.get("/api/review", params={"limit": 1}).json()
        after = {"limit": 1, "after": first["next"]}
        second = api.get("/api/review", params=after).json()
        asked = {"q": "dog", "folder_id": photos.folder_id}
        found = api.get("/api/review", params=asked).json()
        assert api.get("/api/review", params={"q": "x:y"}).status_code == 422
    assert (first["total"], second["total"], second["next"]) == (2, 2, None)
    names = [one["photos"][0]["name"] for one in (first, second, found)]
    assert names == ["dog.jpg", "cat.jpg", "dog.jpg"]
    [dog] = first["photos"]
    assert dog["now"] == {"description": None, "description_source": None, "tags": []}
    assert dog["proposed"]["description"] == dog["said"] == "A dog."
    assert [tag["name"] for tag in dog["proposed"]["tags"]] == ["dog", "beach"]


def test_the_api_decides_of_one_photo_and_takes_that_back(photos: Library) -> None:
    with served() as api:
        dog, cat = api.get("/api/review").json()["photos"]
        about = {"image_id": dog["id"], "answer": dog["answer"]}
        wrong = {**about, "answer": cat["answer"], "decision": "accept"}
        assert api.post("/api/review", json=wrong).status_code == 422
        words = {"decision": "accept", "add": ["x"]}
        assert api.post("/api/review", json={**about, **words}).status_code == 422
        corrected = {
            **about,
            "decision": "correct",
            "add": ["Rex"],
            "remove": ["beach"],
            "description": "Rex.",
            "undo_within_s": 30,
        }
        tried = api.post("/api/review?dry_run=true", json=corrected).json()
        assert tried == {"edit_id": None, "photos": 1, "files": 1}
        edit = api.post("/api/review", json=corrected).json()
        again = api.post("/api/review", json=corrected)
        image = api.get(f"/api/images/{dog['id']}").json()
        assert [tag["name"] for tag in image["tags"]] == ["Rex", "dog"]
        assert (image["description"], image["description_source"]) == ("Rex.", "person")
        back = api.post(f"/api/edits/{edit['edit_id']}/undo", json={})
        assert back.is_success, back.text
        after = api.get(f"/api/images/{dog['id']}").json()
    assert (again.status_code, again.json()["detail"][:5]) == (422, "photo")
    assert (after["tags"], after["description"]) == ([], None)
    assert dog["id"] in reviewing.waiting(photos.opened.db)


def test_the_api_decides_of_many(photos: Library) -> None:
    with served() as api:
        neither = {"decision": "accept"}
        assert api.post("/api/review/many", json=neither).status_code == 422
        correct = {"decision": "correct", "query": ""}
        assert api.post("/api/review/many", json=correct).status_code == 422
        dogs = {"decision": "reject", "query": "dog"}
        assert api.post("/api/review/many", json=dogs).json()["photos"] == 1
        every = {"decision": "accept", "image_ids": [1, 2, 3, 77]}
        assert api.post("/api/review/many", json=every).json()["photos"] == 1
    assert waiting(photos) == 0


def test_the_api_sets_whether_a_folder_is_reviewed(
    photos: Library, tmp_path: Path
) -> None:
    inner = photos.root / "inner"
    inner.mkdir()
    with served() as api:
        added = api.post("/api/folders", json={"path": str(inner)}).json()
        assert added["review"] is True  # as the folder around it
        address = f"/api/folders/{added['id']}"
        off = api.patch(address, json={"review": False}).json()
        assert (off["review"], off["write_mode"]) == (False, added["write_mode"])
        both = {"write_mode": "none", "review": True}
        assert api.patch(address, json=both).json()["review"] is True
        assert api.patch(address, json={}).status_code == 422
