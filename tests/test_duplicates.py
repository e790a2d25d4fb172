"""Photos that are there twice, or look the same: found, shown, and never touched."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tagger import cli
from tagger.catalogue.alike.grouping import Alike
from tagger.catalogue.finding import find
from tagger.catalogue.questions import Wanted
from tagger.errors import UsageError
from tagger.tracking import files
from tagger.web import runtime
from tests import support_pages as screens
from tests.support_alike import PHOTOS, SAMPLES, altered, sample, taken_in
from tests.support_web import Library, library, served

NEAR = Alike(near=True)


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Library]:
    with library(tmp_path) as made:
        yield made


def own_words(shelf: Library, image_id: int) -> None:
    """A person gives this copy a tag that the others do not have."""
    asked = {"image_ids": [image_id], "add": ["mine"]}
    with served() as client:
        client.post("/api/edits/tags", json=asked).raise_for_status()
    shelf.opened.take()


def groups(shelf: Library, alike: Alike, query: str = "") -> list[list[int]]:
    listed = shelf.opened.duplicates.listed(query, alike)
    return [[copy.card.id for copy in group.photos] for group in listed.groups]


def test_copies_are_found_whatever_their_names_and_words(shelf: Library) -> None:
    first = sample(shelf, "china.jpg", "a.jpg", "temple")
    sample(shelf, "coffee.png")
    again = sample(shelf, "china.jpg", "sub/b.jpg")
    own_words(shelf, again)

    listed = shelf.opened.duplicates.listed("", Alike())

    [group] = listed.groups
    assert [copy.card.id for copy in group.photos] == [first, again]
    assert group.is_exact
    assert set(group.differs) == {"folder", "name", "tags"}
    assert listed.spare_bytes == (SAMPLES / "china.jpg").stat().st_size


def test_what_was_made_smaller_or_darker_looks_the_same(shelf: Library) -> None:
    small = altered(shelf, "china.jpg", "small.jpg", "smaller")
    dark = altered(shelf, "china.jpg", "dark.jpg", "darker")
    whole = sample(shelf, "china.jpg")
    for other in ("coffee.png", "chelsea.png", "ridge.jpg", "rocket.jpg", "wine.jpg"):
        sample(shelf, other)

    assert groups(shelf, Alike()) == []
    [group] = shelf.opened.duplicates.listed("", NEAR).groups

    assert {copy.card.id for copy in group.photos} == {whole, dark, small}
    assert group.photos[-1].card.id == small  # the best first: most pixels, most bytes
    assert not group.is_exact
    assert {"size", "bytes", "name"} <= set(group.differs)


def test_samples_that_show_different_things_are_in_no_group(shelf: Library) -> None:
    for name in PHOTOS:
        sample(shelf, name)
    assert groups(shelf, Alike(near=True, distance=8)) == []


def test_plain_pictures_are_not_taken_for_one_another(shelf: Library) -> None:
    for number in range(12):
        slope = np.linspace(number * 9, 250, 64, dtype=np.uint8)
        pixels = np.tile(slope[::-1], (48, 1))
        path = shelf.root / f"slope{number}.png"
        Image.fromarray(pixels).convert("RGB").save(path)
        taken_in(shelf, path)
    shutil.copy(path, shelf.root / "again.png")
    taken_in(shelf, shelf.root / "again.png")

    listed = shelf.opened.duplicates.listed("", NEAR)

    assert [[c.card.name for c in g.photos] for g in listed.groups] == [
        ["slope11.png", "again.png"]  # the same picture it is all the same
    ]
    assert listed.plain == 12


def test_only_photos_a_query_finds_are_compared(shelf: Library) -> None:
    kept = [sample(shelf, "china.jpg", f"temple/{n}.jpg") for n in range(2)]
    sample(shelf, "china.jpg", "roof/other.jpg")

    assert groups(shelf, Alike(), "folder:temple") == [kept]
    assert groups(shelf, Alike(), "folder:roof") == []
    with pytest.raises(UsageError, match="0 to 8"):
        groups(shelf, Alike(near=True, distance=9))


def test_a_photo_that_is_gone_is_nobodys_duplicate(shelf: Library) -> None:
    sample(shelf, "china.jpg", "a.jpg")
    sample(shelf, "china.jpg", "b.jpg")
    assert len(groups(shelf, Alike())) == 1

    files.apply_scan(shelf.opened.db, shelf.folder_id, [])
    shelf.opened.take()

    assert groups(shelf, Alike()) == []


def test_what_has_a_duplicate_can_be_searched_for(shelf: Library) -> None:
    copies = {sample(shelf, "china.jpg", f"t{n}/x.jpg") for n in range(2)}
    alone = sample(shelf, "coffee.png")

    def found(query: str) -> set[int]:
        listed = find(shelf.opened.catalogue, Wanted(query=query))
        return {card.id for card in listed.page.images}

    assert found("is:duplicate") == copies
    assert found("-is:duplicate") == {alone}
    assert len(found("is:duplicate folder:t0")) == 1


def test_the_groups_that_take_most_room_come_first(shelf: Library) -> None:
    for name in ("chelsea.png", "china.jpg"):
        for number in range(2):
            sample(shelf, name, f"{number}-{name}")
    sizes = [
        group.photos[0].size_bytes
        for group in shelf.opened.duplicates.listed("", Alike()).groups
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert len(sizes) == 2


def test_new_copies_show_once_the_catalogue_has_them(shelf: Library) -> None:
    sample(shelf, "china.jpg", "a.jpg")
    assert groups(shelf, Alike()) == []
    sample(shelf, "china.jpg", "b.jpg")
    assert len(groups(shelf, Alike())) == 1


# -- command line, API and screen -----------------------------------------------------


def fingerprints(root: Path) -> dict[str, str]:
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_the_command_lists_groups_and_touches_nothing(
    shelf: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    best = sample(shelf, "china.jpg", "a\x1b[31m.jpg")
    small = altered(shelf, "china.jpg", "small.jpg", "smaller")
    before = fingerprints(shelf.root)
    runtime.use(None)
    shelf.opened.catalogue.close()

    assert cli.main(["duplicates"]) == 1
    assert "no photo is there more than once" in capsys.readouterr().err
    assert cli.main(["duplicates", "--near", "--json"]) == 0
    [group] = json.loads(capsys.readouterr().out)["groups"]
    assert cli.main(["duplicates", "--distance", "6"]) == 0
    shown = capsys.readouterr()

    assert [photo["id"] for photo in group["photos"]] == [best, small]
    assert "size" in group["differs"]
    assert "\x1b" not in shown.out
    assert "look the same; differs: size" in shown.out
    assert "1 group" in shown.err
    assert cli.main(["duplicates", "--distance", "40"]) == 2
    assert fingerprints(shelf.root) == before


def test_the_api_gives_groups_page_by_page(shelf: Library) -> None:
    for name in ("china.jpg", "coffee.png", "chelsea.png"):
        for number in range(2):
            sample(shelf, name, f"{number}-{name}")
    with served() as client:
        first = client.get("/api/duplicates", params={"limit": 2}).json()
        rest = client.get("/api/duplicates", params={"start": first["next"]}).json()
        near = client.get("/api/duplicates?near=true&distance=3").json()
        refused = client.get("/api/duplicates?distance=9")
        mistaken = client.get("/api/duplicates", params={"q": "colour:red"})

    assert (first["total"], len(first["groups"]), len(rest["groups"])) == (3, 2, 1)
    assert rest["next"] is None
    assert all(group["exact"] and group["total"] == 2 for group in near["groups"])
    assert refused.status_code == 422
    assert mistaken.status_code == 422
    assert "no field colour" in mistaken.json()["detail"]


def test_the_screen_shows_groups_side_by_side(shelf: Library) -> None:
    sample(shelf, "china.jpg", "a.jpg", "temple")
    altered(shelf, "china.jpg", "small.jpg", "smaller")

    exact = screens.screen("duplicates")
    near = screens.screen("duplicates", kind="near")

    assert not exact.exception
    assert not near.exception
    assert "No duplicates" in screens.said(exact)
    [group] = screens.given(near, "groups")["groups"]
    assert group["title"] == "1. 2 photos, look the same"
    assert [photo["name"] for photo in group["photos"]] == ["a.jpg", "small.jpg"]
    facts = {name: differs for name, _, differs in group["photos"][0]["facts"]}
    assert facts["Tags"]
    assert not facts["Description"]
    assert "Nothing is deleted" in screens.plain_text(near)


def test_the_screen_takes_any_address(shelf: Library) -> None:
    sample(shelf, "china.jpg", "a.jpg")
    for address in (
        {"kind": "odd", "distance": "99", "start": "-4"},
        {"kind": "near", "distance": "99", "start": "9999999"},
        {"q": "colour:red"},
    ):
        assert not screens.screen("duplicates", **address).exception
