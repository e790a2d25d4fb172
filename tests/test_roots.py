"""Roots: no folder outside `library.roots` is added, or looked through any more."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tagger import config, doctor
from tagger.errors import ConfigError, UsageError
from tagger.pipeline.discover import Scanner
from tagger.pipeline.tagging import photos_at
from tagger.records import ImageState
from tagger.tracking import folders, jobs, roots, snapshots
from tagger.tracking.database import Database
from tests.support_tracking import add_folder
from tests.support_web import library, served

ROOT = Path(__file__).resolve().parent.parent
REFUSED = r"in none of the folders of library\.roots"


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """A disk that photos may lie on, with links that lead outside it."""
    for name in ("disk/mine", "outside/secret", "diskette"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "a.jpg").write_bytes(name.encode())
    (tmp_path / "disk" / "out").symlink_to(tmp_path / "outside")
    (tmp_path / "disk" / "mine" / "way out").symlink_to(tmp_path / "outside")
    (tmp_path / "disk" / "mine" / "b.jpg").symlink_to(
        tmp_path / "outside" / "secret" / "a.jpg"
    )
    (tmp_path / "disk" / "mine" / "near.jpg").symlink_to(tmp_path / "disk" / "far.jpg")
    (tmp_path / "disk" / "far.jpg").write_bytes(b"far")
    return tmp_path / "disk"


OUTSIDE = [
    "/etc",
    "{disk}/..",
    "{disk}/../outside",
    "{disk}/out",
    "{disk}/out/secret",
    "{disk}/mine/way out",
    "{disk}ette",
    "{disk}/../no such folder",
]


@pytest.mark.parametrize("asked", OUTSIDE)
def test_the_api_adds_no_folder_outside_however_it_is_spelt(
    disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    monkeypatch.setenv("TAGGER_LIBRARY__ROOTS", json.dumps([str(disk)]))
    with served() as client, library(tmp_path) as place:
        before = folders.every(place.opened.db)
        refused = client.post("/api/folders", json={"path": asked.format(disk=disk)})
        after = folders.every(place.opened.db)
        added = client.post("/api/folders", json={"path": str(disk / "mine")})
    assert refused.status_code == 422
    assert "library.roots" in refused.json()["detail"]
    assert "config.toml" in refused.json()["detail"]
    assert after == before
    assert added.status_code == 201


@pytest.mark.parametrize("command", ["folders add", "tag", "import", "scan"])
def test_no_command_takes_a_folder_outside(disk: Path, command: str) -> None:
    environment = {**os.environ, "TAGGER_LIBRARY__ROOTS": json.dumps([str(disk)])}
    done = subprocess.run(
        [sys.executable, "-m", "tagger", *command.split(), str(disk / "out")],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    if command == "scan":  # which takes nothing but folders that were added
        assert "folders" in done.stderr
    else:
        assert "library.roots" in done.stderr
    with Database.of(config.load()) as db:
        assert folders.every(db) == []


def test_a_single_photo_outside_is_not_taken_either(disk: Path) -> None:
    settings = config.check({"library": {"roots": [str(disk)]}})
    inside = photos_at(settings, [os.fsencode(disk / "mine")])
    assert {os.fsdecode(path) for path in inside} == {
        str(disk / "mine" / "a.jpg"),
        str(disk / "far.jpg"),
    }
    for outside in (disk / "mine" / "b.jpg", disk / "mine" / "way out"):
        with pytest.raises(UsageError, match=REFUSED):
            photos_at(settings, [os.fsencode(outside)])


def test_without_roots_there_is_no_limit_unless_one_is_required(disk: Path) -> None:
    path = os.fsencode(disk)
    roots.refuse_outside(path, [])
    with pytest.raises(UsageError, match=r"in library\.roots of config\.toml"):
        roots.refuse_outside(path, [], required=True)
    roots.refuse_outside(path, [str(disk.parent)], required=True)


def test_a_root_may_be_a_link_or_the_whole_disk_itself(disk: Path) -> None:
    link = disk.parent / "link"
    link.symlink_to(disk)
    for named in ([str(link)], ["/"], [f" {disk}/ "], ["/nowhere", str(disk)]):
        assert roots.hold(named, os.fsencode(disk / "mine"))
    assert not roots.hold([str(link)], os.fsencode(disk.parent))


@pytest.mark.parametrize("bad", ["", ".", "photos", "../photos", "/srv\0/x"])
def test_a_root_that_is_no_whole_path_is_refused_at_start(bad: str) -> None:
    with pytest.raises(ConfigError, match=r"library\.roots.* must be a whole path"):
        config.check({"library": {"roots": [bad]}})


def test_the_old_name_of_the_setting_says_the_new_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"browse_roots is called library\.roots now"):
        config.check({"app": {"browse_roots": ["/srv"]}})
    old = {"TAGGER_APP__BROWSE_ROOTS": "[]", "TAGGER_DATA_DIR": str(tmp_path)}
    with pytest.raises(ConfigError, match="use TAGGER_LIBRARY__ROOTS"):
        config.load(old)


def scanner(db: Database, *named: Path) -> Scanner:
    return Scanner(
        db,
        data_dir=db.path.parent,
        settle_s=0.0,
        roots=[str(one) for one in named],
    )


def states(db: Database) -> dict[str, ImageState]:
    return {
        os.path.basename(image.shown_path): image.state
        for image in snapshots.after(db, 0, limit=100)
    }


def test_a_known_folder_outside_waits_and_nothing_in_it_is_missing(
    db: Database, disk: Path
) -> None:
    outside = add_folder(db, disk.parent / "diskette")
    scanner(db).scan(folders.get(db, outside))

    limited = scanner(db, disk)
    assert limited.scan(folders.get(db, outside)) is None

    assert "library.roots" in str(folders.get(db, outside).offline)
    [finding] = doctor.offline(db)
    assert "library.roots" in str(finding.advice)
    assert "disk" not in str(finding.advice)
    assert states(db) == {"a.jpg": ImageState.QUEUED}
    assert jobs.claim(db, limit=10) == []
    scanner(db, disk.parent).keep_to_roots()
    assert folders.get(db, outside).offline is None
    assert len(jobs.claim(db, limit=10)) == 1


def test_before_any_work_folders_outside_are_left_alone_active_or_not(
    db: Database, disk: Path
) -> None:
    outside = add_folder(db, disk.parent / "diskette")
    inside = add_folder(db, disk / "mine")
    for folder_id in (outside, inside):
        scanner(db).scan(folders.get(db, folder_id))
    folders.set_active(db, outside, False)

    scanner(db, disk).keep_to_roots()

    assert "library.roots" in str(folders.get(db, outside).offline)
    assert folders.get(db, inside).offline is None


def test_links_that_lead_outside_the_roots_are_not_followed(
    db: Database, disk: Path
) -> None:
    folder = folders.get(db, add_folder(db, disk / "mine"))
    limited = scanner(db, disk)
    limited.scan(folder)
    limited.look_at(folder, [os.fsencode(disk / "mine" / "b.jpg")])
    secret = os.fsencode(disk.parent / "outside" / "secret")
    limited.look_at(folder, [secret, secret + b"/a.jpg"])

    found = {image.shown_path for image in snapshots.after(db, 0, limit=100)}
    assert found == {str(disk / "mine" / "a.jpg"), str(disk / "far.jpg")}
    scanner(db).scan(folder)
    assert str(disk.parent / "outside" / "secret" / "a.jpg") in {
        image.shown_path for image in snapshots.after(db, 0, limit=100)
    }


def test_a_folder_that_was_moved_within_the_roots_goes_on_by_its_old_name(
    db: Database, disk: Path
) -> None:
    folder = folders.get(db, add_folder(db, disk / "mine"))
    (disk / "mine").rename(disk / "moved")
    (disk / "mine").symlink_to(disk / "moved")
    scanner(db, disk).scan(folder)
    assert folders.get(db, folder.id).offline is None
    assert "a.jpg" in states(db)


def test_whoever_adds_a_folder_says_below_which_roots() -> None:
    adding = 0
    for path in (*ROOT.glob("tagger/**/*.py"), *ROOT.glob("pages/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "folders.add":
                adding += 1
                named = {keyword.arg for keyword in node.keywords}
                # The bench makes a library of its own, in a data folder of its own.
                assert "roots" in named or path.parent.name == "bench", path
    assert adding >= 6
