"""Answers of the past through the API: listed, used, and taken back."""

import os

from tagger.pipeline.tagging import tag
from tagger.vision.choose import choose
from tests.support_pipeline import in_file
from tests.test_edits_api import Place, api, place

__all__ = ["api", "place"]


def test_an_older_answer_is_listed_used_and_taken_back(place: Place) -> None:
    photo = place.id("1.jpg")
    place.ollama.answer = {"description": "Stripes.", "tags": ["stripes"], "text": ""}
    again = tag(
        place.config, [os.fsencode(place.root)], choose(place.config), retag=True
    )
    assert again.failed == []
    newer, older = place.said("GET", f"/images/{photo}/answers")
    assert (newer["description"], newer["in_use"]) == ("Stripes.", True)
    assert [tag["name"] for tag in older["tags"]] == ["number 1", "bar code"]
    assert {"prompt_version", "server", "answered_at", "seconds"} <= older.keys()

    path = f"/images/{photo}/answers/{older['id']}/use"
    asked = place.said("POST", f"{path}?dry_run=true")
    assert asked == {"edit_id": None, "photos": 1, "files": 1}
    edit = place.said("POST", path)
    shown = place.said("GET", f"/images/{photo}")
    assert shown["description"] == "This is picture 1."
    place.carried_out(edit)
    assert place.words("1.jpg") == ["Oma", "bar code", "number 1"]
    assert place.progress(edit)["kind"] == "answer"

    back = place.said("POST", f"/edits/{edit['edit_id']}/undo")
    place.carried_out(back)
    assert place.words("1.jpg") == ["Oma", "stripes"]
    assert in_file(place.root / "1.jpg")["XMP-dc:Description"] == ["Stripes."]


def test_answers_and_edits_that_there_are_not_are_refused(place: Place) -> None:
    photo, other = place.id("1.jpg"), place.id("2.jpg")
    [others] = place.said("GET", f"/images/{other}/answers")
    use = f"/images/{photo}/answers/{others['id']}/use"
    assert "404" in place.refused("POST", use)
    assert "404" in place.refused("GET", "/images/999999/answers")
    assert "404" in place.refused("POST", "/edits/999999/undo")
    assert place.said("GET", "/edits") == []


def test_tags_of_several_photos_are_taken_back_once(place: Place) -> None:
    before = place.words("1.jpg")
    ids = [place.id("1.jpg"), place.id("2.jpg")]
    both = {"image_ids": ids, "add": ["both"], "remove": ["Oma"]}
    edit = place.said("POST", "/edits/tags", json=both)
    place.carried_out(edit)
    assert "both" in place.words("1.jpg")
    path = f"/edits/{edit['edit_id']}/undo"
    asked = place.said("POST", f"{path}?dry_run=true")
    assert (asked["edit_id"], asked["photos"]) == (None, 2)
    place.carried_out(place.said("POST", path))
    assert place.words("1.jpg") == before
    assert "422" in place.refused("POST", path)


def test_a_photo_is_asked_about_with_a_server_of_choice(place: Place) -> None:
    photo = place.id("1.jpg")
    wanted = {"image_ids": [photo], "ask_again": True, "server": "builtin"}
    assert place.said("POST", "/queue/now", json=wanted) == {"count": 1}
    refused = place.refused("POST", "/queue/now", json=wanted | {"server": "nobody"})
    assert "there is no server nobody" in refused
    without = {"image_ids": [photo], "server": "builtin"}
    assert "422" in place.refused("POST", "/queue/now", json=without)
