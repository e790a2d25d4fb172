"""Browsing for a folder: what lies below the allowed roots is listed, and no more."""

import json
import os
from pathlib import Path

import pytest

from tagger.errors import UsageError
from tagger.tracking import roots
from tagger.web import browsing
from tagger.web.browsing import Listing, encoded, listing
from tests.support_web import library, served, settings_file

HOSTILE = '<img src=x onerror="alert(1)"> %2e%2e'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("root/photos/2024", "root/.hidden", f"root/{HOSTILE}", "outside/x"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "root" / "a file.jpg").touch()
    (tmp_path / "root" / "out").symlink_to(tmp_path / "outside")
    (tmp_path / "root" / "in").symlink_to(tmp_path / "root" / "photos")
    (tmp_path / "root" / "circle").symlink_to(tmp_path / "root" / "circle")
    return tmp_path / "root"


def names(found: Listing) -> list[str]:
    return [one.name for one in found.inside]


def at(path: Path | bytes) -> str:
    return encoded(os.fsencode(path))


def test_only_folders_below_the_root_are_listed(root: Path) -> None:
    found = listing([str(root)], at(root))
    assert names(found) == [HOSTILE, "in", "photos"]
    [link] = [one for one in found.inside if one.name == "in"]
    assert link.at == at(root / "photos")
    inside = listing([str(root)], found.inside[0].at)
    assert inside.path == os.fsencode(root / HOSTILE)
    assert [one.name for one in inside.above] == [str(root), HOSTILE]


def test_one_begins_with_the_roots_links_resolved(root: Path) -> None:
    linked = root.parent / "link"
    linked.symlink_to(root)
    found = listing([str(linked), str(root), str(root.parent / "gone")])
    assert names(found) == [str(root), str(root.parent / "gone")]
    assert found.path is None
    assert [one.problem for one in found.inside] == [
        None,
        "there is no such folder now",
    ]


@pytest.mark.parametrize(
    "asked",
    [
        "/",
        "/etc",
        "{root}/..",
        "{root}/../outside",
        "{root}/out",
        "{root}/out/x",
        "{root}%2f..%2foutside",
        "{root}x",
        "photos",
        "{root}/photos/%00",
        "~",
        "{up}",
    ],
)
def test_nothing_outside_is_listed_however_it_is_asked_for(
    root: Path, asked: str
) -> None:
    where = asked.format(root=root, up=root.parent)
    with pytest.raises(UsageError, match=r"in none of the folders of library\.roots"):
        listing([str(root)], where)


def test_without_roots_nothing_is_listed(root: Path) -> None:
    for asked in ("", at(root)):
        with pytest.raises(UsageError, match=r"library\.roots"):
            listing([], asked)


def test_a_root_that_is_no_whole_path_opens_nothing(root: Path) -> None:
    assert roots.real(["", ".", "photos", f" {root} "]) == [os.fsencode(root)]
    with pytest.raises(UsageError, match="no folder may be browsed"):
        listing(["", "."])


def test_a_name_that_is_no_text_is_gone_into_all_the_same(root: Path) -> None:
    odd = os.path.join(os.fsencode(root), b"caf\xe9 50%")
    os.makedirs(os.path.join(odd, b"inside"))
    [one] = [d for d in listing([str(root)], at(root)).inside if "caf" in d.name]
    assert "\ufffd" in one.name or "xe9" in one.name
    found = listing([str(root)], one.at)
    assert (found.path, names(found)) == (odd, ["inside"])


def test_a_name_with_a_line_break_says_why_it_cannot_be_used(root: Path) -> None:
    (root / "two\nlines").mkdir()
    [one] = [d for d in listing([str(root)], at(root)).inside if d.problem]
    assert one.problem == "a path with a line break cannot be used"


def test_an_unreadable_folder_is_named_with_the_reason(root: Path) -> None:
    if os.geteuid() == 0:  # whom no right of a file holds back
        gone = root / "gone"
        gone.mkdir()
        asked = at(gone)
        gone.rmdir()
        with pytest.raises(UsageError, match="cannot be read: no such file"):
            listing([str(root)], asked)
        return
    (root / "photos").chmod(0)
    try:
        [one] = [d for d in listing([str(root)], at(root)).inside if d.problem]
        assert one.problem == "this program may not read it"
        with pytest.raises(UsageError, match="cannot be read: permission denied"):
            listing([str(root)], at(root / "photos"))
    finally:
        (root / "photos").chmod(0o755)


def test_a_large_directory_is_listed_in_part_and_says_so(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = root / "large"
    for number in range(12):
        (large / f"{number:02d}").mkdir(parents=True)
    assert listing([str(root)], at(large)).note is None
    monkeypatch.setattr(browsing, "MOST_LISTED", 5)
    found = listing([str(root)], at(large))
    assert len(found.inside) == 5
    assert "the first 5 folders met are listed" in str(found.note)


def test_the_api_lists_the_same_and_keeps_the_same_limit(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAGGER_CONFIG", str(settings_file(tmp_path)))
    monkeypatch.setenv("TAGGER_LIBRARY__ROOTS", json.dumps([str(root)]))
    with served() as client, library(tmp_path):
        [top] = client.get("/api/browse").json()["inside"]
        inside = client.get("/api/browse", params={"at": top["at"]}).json()
        assert [one["name"] for one in inside["inside"]] == [HOSTILE, "in", "photos"]
        for outside in ("/etc", f"{root}/..", f"{root}/out", "/root/nothing/here"):
            refused = client.get("/api/browse", params={"at": outside})
            assert refused.status_code == 422
            assert "library.roots" in refused.json()["detail"]
