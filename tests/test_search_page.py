"""The Search screen: facets that narrow, an address that says all, saved searches."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import facets
from tagger.errors import DataError, QueryError, UsageError
from tagger.tracking.database import Database
from tagger.web import searches
from tagger.web.searches import Search
from tests import support_pages as screens
from tests.support_catalogue import Photo, add_folder, tagged
from tests.support_web import library, served, settings_file
from tests.test_pages import HOSTILE

pytestmark = pytest.mark.usefixtures("own_runtime")


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    found = tmp_path / "data"
    found.mkdir(exist_ok=True)
    return found


@pytest.fixture
def photos(db: Database, tmp_path: Path) -> dict[str, int]:
    folder = add_folder(db, tmp_path / "photos")
    known = (
        Photo(
            name="beach.jpg",
            tags=("dog", "beach"),
            taken_at="2024-05-05T14:03:00",
            camera="FUJIFILM X-T4",
        ),
        Photo(name="hill.jpg", tags=("dog",), taken_at="2023-01-01T10:00:00"),
        Photo(name="torn.jpg", failed="the file ends too early"),
    )
    ids = tagged(db, folder, *known)
    return dict(zip([str(one.name) for one in known], ids, strict=True))


def facet(test: AppTest, label: str) -> dict[str, tuple[int, bool]]:
    """The values of a facet, how often each is there, and whether it is chosen."""
    import json

    for element in test.get("bidi_component"):
        if element.proto.component_name == "tagger_chips":
            data = json.loads(element.proto.json)
            if data["label"] == label:
                return {c["name"]: (c["count"], c["chosen"]) for c in data["chips"]}
    raise AssertionError(f"there is no facet {label}")


@pytest.mark.usefixtures("photos")
def test_the_counts_of_a_facet_follow_the_search() -> None:
    label = "Tags of the photos found"
    assert facet(screens.screen("search"), label) == {
        "beach": (1, False),
        "dog": (2, False),
    }
    assert facet(screens.screen("search", q="tag:beach"), label) == {
        "beach": (1, True),
        "dog": (1, False),
    }


@pytest.mark.usefixtures("photos")
@pytest.mark.parametrize(
    ("fold", "label", "values"),
    [
        ("years", "Year taken", {"2024": 1, "2023": 1}),
        ("cameras", "Camera", {"FUJIFILM X-T4": 1}),
        ("states", "State", {"Tagged": 2, "Failed": 1}),
    ],
)
def test_photos_are_narrowed_by_more_than_tags(
    fold: str, label: str, values: dict[str, int]
) -> None:
    test = screens.screen("search")
    test.session_state[f"search_fold_{fold}"] = True
    found = facet(test.run(), label)
    assert {name: count for name, (count, _) in found.items()} == values


@pytest.mark.usefixtures("photos")
@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("taken:2024", ["beach.jpg"]),
        ('camera:"FUJIFILM X-T4"', ["beach.jpg"]),
        ("state:failed", ["torn.jpg"]),
        ("tag:dog taken:2023", ["hill.jpg"]),
    ],
)
def test_what_a_facet_puts_into_a_search_finds_what_it_counted(
    query: str, names: list[str]
) -> None:
    assert screens.photos(screens.screen("search", q=query)) == names
    first = query.rpartition(" ")[2] if " taken" in query else query
    assert facets.has(query, first)
    assert first not in facets.toggled(query, first)


@pytest.mark.usefixtures("photos")
def test_the_order_and_the_size_are_in_the_address() -> None:
    test = screens.screen("search", q="dog", sort="name", size="256")
    assert screens.photos(test) == ["beach.jpg", "hill.jpg"]
    assert test.selectbox(key="gallery_sort").value == "name"
    assert test.slider(key="gallery_size").value == 256
    test.selectbox(key="gallery_sort").set_value("newest").run()
    assert screens.photos(test) == ["hill.jpg", "beach.jpg"]
    assert test.query_params["sort"] == "newest"
    for wrong in ("sideways", HOSTILE):
        assert not screens.screen("search", q="dog", sort=wrong).exception


@pytest.mark.usefixtures("photos")
def test_a_search_is_saved_opened_renamed_and_deleted(data_dir: Path) -> None:
    name = f"Dogs {HOSTILE}"[:100]
    test = screens.screen("search", q="tag:dog", sort="name")
    test.text_input(key="saved_name").set_value(name)
    test.button(key="saved_save").click().run()
    assert searches.every(data_dir) == [Search(name, "tag:dog", "name")]

    for other in ("search", "gallery"):
        test = screens.screen(other)
        test.button(key="saved_open_0").click().run()
        assert test.query_params["q"] == "tag:dog"
        assert screens.photos(test) == ["beach.jpg", "hill.jpg"]

    test.text_input(key="saved_new_name").set_value("Rex")
    test.button(key="saved_rename").click().run()
    assert [one.name for one in searches.every(data_dir)] == ["Rex"]
    test.button(key="saved_delete").click().run()
    assert searches.every(data_dir) == []
    assert not test.exception
    assert "saved_open_0" not in [button.key for button in test.button]


@pytest.mark.usefixtures("photos")
def test_a_name_that_is_none_is_refused_in_words(data_dir: Path) -> None:
    test = screens.screen("search", q="dog")
    test.text_input(key="saved_name").set_value("  ")
    test.button(key="saved_save").click().run()
    assert "A name has 1 to 100 characters" in test.toast[0].value
    assert searches.every(data_dir) == []


@pytest.mark.usefixtures("photos")
def test_a_damaged_file_of_searches_stops_no_screen(data_dir: Path) -> None:
    (data_dir / searches.NAME).write_text("[{")
    test = screens.screen("search", q="dog")
    assert "is damaged" in test.error[0].value
    assert len(screens.photos(test)) == 2


def test_searches_are_kept_by_name(data_dir: Path) -> None:
    searches.save(data_dir, "  Dogs\n by  the sea ", " dog beach ")
    searches.save(data_dir, "cats", "cat", "taken")
    searches.save(data_dir, "Dogs by the sea", "dog")
    assert searches.every(data_dir) == [
        Search("cats", "cat", "taken"),
        Search("Dogs by the sea", "dog"),
    ]
    with pytest.raises(UsageError, match="another search called cats"):
        searches.rename(data_dir, "Dogs by the sea", "cats")
    with pytest.raises(UsageError, match="no saved search called x"):
        searches.remove(data_dir, "x")
    with pytest.raises(QueryError):
        searches.save(data_dir, "open", '"open')
    with pytest.raises(UsageError, match="write one first"):
        searches.save(data_dir, "nothing", " ")
    with pytest.raises(UsageError, match="There is no order sideways"):
        searches.save(data_dir, "odd", "dog", "sideways")
    (data_dir / searches.NAME).write_text('[{"name": "x"}]')
    with pytest.raises(DataError, match="is damaged"):
        searches.every(data_dir)


def test_the_api_keeps_searches_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAGGER_CONFIG", str(settings_file(tmp_path)))
    with served() as client, library(tmp_path):
        kept = {"name": "dogs", "query": "tag:dog", "sort": "name"}
        assert client.put("/api/searches", json=kept).json() == kept
        renamed = {"name": "dogs", "to": "rex"}
        assert client.post("/api/searches/rename", json=renamed).is_success
        assert [one["name"] for one in client.get("/api/searches").json()] == ["rex"]
        bad = client.put("/api/searches", json={**kept, "query": '"open'})
        assert bad.status_code == 422
        assert client.delete("/api/searches", params={"name": "rex"}).is_success
        assert client.get("/api/searches").json() == []


# -- the photo view goes on past the page ----------------------------------------------


@pytest.mark.parametrize("where", ["gallery", "search"])
def test_the_arrows_go_on_to_the_next_page_and_back(
    db: Database, tmp_path: Path, where: str
) -> None:
    folder = add_folder(db, tmp_path / "photos")
    ids = tagged(
        db, folder, *(Photo(name=f"{n:03d}.jpg", tags=("dog",)) for n in range(205))
    )
    address = {"sort": "name", "q": "dog"} if where == "search" else {"sort": "name"}
    test = screens.screen(where, photo=str(ids[199]), **address)
    viewer = screens.given(test, "viewer")
    assert (viewer["before"], viewer["after"]) == (ids[198], ids[200])

    assert len(screens.photos(test)) == 200
    test.button(key=f"{where}_next").click().run()
    test.query_params["photo"] = str(ids[200])
    test.run()
    assert screens.photos(test) == [
        "200.jpg",
        "201.jpg",
        "202.jpg",
        "203.jpg",
        "204.jpg",
    ]
    viewer = screens.given(test, "viewer")
    assert (viewer["before"], viewer["after"]) == (ids[199], ids[201])

    test.query_params["photo"] = str(ids[204])
    viewer = screens.given(test.run(), "viewer")
    assert (viewer["before"], viewer["after"]) == (ids[203], None)
