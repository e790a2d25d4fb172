"""A mirror follows the photos, which nobody writes to, touches, or needs to."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tagger.errors import UsageError
from tagger.pipeline.importing import bring_in
from tagger.pipeline.importplan import plan
from tagger.pipeline.stages import Item
from tagger.pipeline.tagging import tag
from tagger.pipeline.undo import undo
from tagger.pipeline.workshop import opened
from tagger.records import ImageState, WriteMode
from tagger.tracking import folders, jobs, runs
from tagger.tracking.database import Database
from tagger.tracking.history import Which
from tagger.vision.choose import choose
from tests.ollama_double import OllamaDouble
from tests.support_modes import (
    FIRST,
    SECOND,
    Library,
    exiftool,
    library,
    put_in,
    subject,
    take_out,
    tree,
)
from tests.support_pipeline import (
    as_environment,
    numbered,
    put_keywords,
    settings,
    strays,
)
from tests.support_raw import dng
from tests.support_tracking import said

ROOT = Path(__file__).resolve().parent.parent
MIRROR = WriteMode.MIRROR


@pytest.fixture
def ollama() -> Iterator[OllamaDouble]:
    with OllamaDouble(FIRST) as double:
        yield double


@pytest.fixture
def books(tmp_path: Path, ollama: OllamaDouble) -> Library:
    """A library with a mirror: photos of several kinds, and somebody's sidecars."""
    made = library(tmp_path, ollama, MIRROR)
    numbered(made.root / "a.jpg", 1)
    numbered(made.root / "deep" / "b.jpg", 2)
    put_keywords(made.root / "a.jpg", "Rex")
    (made.root / "c.nef").write_bytes(dng())
    exiftool(made.root / "c.xmp", "-XMP-dc:Subject=negative")
    exiftool(made.root / "deep" / "b.jpg.xmp", "-XMP-dc:Subject=darkroom")
    return made


def add(books: Library, path: Path, **options: object) -> int:
    with Database.of(books.config) as db:
        folder = folders.add(
            db,
            os.fsencode(path),
            recursive=True,
            write_mode=MIRROR,
            data_dir=books.config.data_dir,
            **options,  # type: ignore[arg-type]
        )
    return folder.id


def worked(books: Library) -> None:
    """What the long-running tagger does with the jobs there are, step by step."""
    answer = said("dog", "grass", description="A dog.")
    with opened(books.config) as workshop:
        stages = workshop.stages(run_id=runs.begin(workshop.db, "run"), side_px=512)
        for job in jobs.claim(workshop.db, limit=99):
            item = Item(job)
            stages.look(item)
            if not stages.use_known(item):
                stages.answered(item, answer)
            stages.write(item)


def mirrored(mirror: Path) -> list[str]:
    return sorted(str(p.relative_to(mirror)) for p in mirror.rglob("*.xmp"))


def test_nothing_among_the_photos_is_ever_written_or_touched(books: Library) -> None:
    before = tree(books.root)
    books.run()
    books.ollama.answer = SECOND
    books.run(retag=True)
    put_in(books.sidecar(books.root / "a.jpg"), "mine")
    books.scan()
    books.run()
    assert books.faults() == []
    undo(books.config, Which(place=os.fsencode(books.root)))
    books.run(retag=True)
    assert tree(books.root) == before
    mirror = Path(f"{books.config.mirror_dir}{books.root}")
    assert mirrored(mirror) == ["a.jpg.xmp", "c.nef.xmp", "deep/b.jpg.xmp"]
    assert subject(mirror / "deep" / "b.jpg.xmp") == ["darkroom", "grass", "puppy"]
    assert subject(mirror / "c.nef.xmp") == ["grass", "negative", "puppy"]
    assert books.sources("b.jpg")["darkroom"] == "file"


def test_a_changed_sidecar_among_the_photos_is_taken_over(books: Library) -> None:
    books.run()
    theirs = books.root / "deep" / "b.jpg.xmp"
    take_out(theirs, "darkroom")
    put_in(theirs, "enlarger")
    assert books.scan().changed == 1
    books.run()
    assert books.sources("b.jpg")["enlarger"] == "file"
    assert "darkroom" not in books.sources("b.jpg")
    ours = books.sidecar(books.root / "deep" / "b.jpg")
    assert "darkroom" not in subject(ours)


READ_ONLY = """
set -e
mount --bind "$1" "$1"
mount -o remount,ro,bind "$1"
if touch "$1/x" 2>/dev/null; then echo "it can be written to" >&2; exit 9; fi
shift
exec "$@"
"""


def test_a_read_only_disk_is_tagged_edited_and_undone(books: Library) -> None:
    """The photos are on a mount of their own, which the system lets nobody write to."""
    before = tree(books.root)

    def command(*arguments: str) -> None:
        done = subprocess.run(
            [
                *("unshare", "--mount", *([] if os.getuid() == 0 else ["-r"])),
                *("sh", "-c", READ_ONLY, "sh", str(books.root)),
                *(sys.executable, "-m", "tagger", *arguments),
            ],
            cwd=ROOT,
            env=as_environment(books.config),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr

    command("tag", str(books.root), "--write", "mirror")
    photo = books.root / "a.jpg"
    sidecar = books.sidecar(photo)
    assert subject(sidecar) == ["Rex", "dog", "grass"]
    command("tags", "add", "mine", "--image", str(photo))
    assert subject(sidecar) == ["Rex", "dog", "grass", "mine"]
    command("scan")
    command("verify")
    command("undo", "--image", str(photo))
    assert not sidecar.exists()
    assert tree(books.root) == before


def test_a_lost_database_is_made_again_from_the_mirror(books: Library) -> None:
    books.run()
    sidecar = books.sidecar(books.root / "a.jpg")
    take_out(sidecar, "grass")
    before = {name: books.sources(name) for name in ("b.jpg", "c.nef")}
    asked = books.ollama.count
    for path in books.config.data_dir.iterdir():
        if path.name != "mirror":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    content = sidecar.read_bytes()
    books.run()
    assert books.ollama.count == asked
    assert {name: books.sources(name) for name in before} == before
    assert books.sources("a.jpg") == {"Rex": "file", "dog": "gemma3:4b"}
    assert sidecar.read_bytes() == content
    assert books.image("a.jpg").written_mode is MIRROR


@pytest.mark.sqlite
def test_words_in_the_mirror_are_imported_though_nobody_says_where_they_are(
    books: Library,
) -> None:
    books.run()
    names = ("a.jpg", "b.jpg", "c.nef")
    before = {name: books.sources(name) for name in names}
    everything = tree(books.root), books.ollama.count
    books.config.tracking_path.unlink()
    place = [os.fsencode(books.root)]

    planned = plan(books.config, place)
    assert [photo.model for photo in planned.photos] == ["gemma3:4b"] * 3
    assert not books.config.tracking_path.exists()
    imported = bring_in(books.config, place)

    assert [photo.state for photo in imported.photos] == [ImageState.TAGGED] * 3
    assert {name: books.sources(name) for name in names} == before
    assert (tree(books.root), books.ollama.count) == everything
    with Database.of(books.config) as db:
        assert [folder.write_mode for folder in folders.every(db)] == [MIRROR]
    assert books.faults() == []


def test_a_library_moved_with_its_mirror_is_taken_in_elsewhere(
    books: Library, tmp_path: Path
) -> None:
    """Out of the common mirror into one of the folder's own, with a new database."""
    books.run()
    put_in(books.sidecar(books.root / "a.jpg"), "mine")
    before = books.sources("a.jpg") | {"mine": "file"}
    asked = books.ollama.count
    new, mirror = tmp_path / "elsewhere" / "library", tmp_path / "elsewhere" / "words"
    new.parent.mkdir()
    Path(f"{books.config.mirror_dir}{books.root}").rename(mirror)
    books.root.rename(new)
    there = Library(
        new, settings(tmp_path / "there", books.ollama.url), books.ollama, MIRROR
    )
    before_bytes = {p: p.read_bytes() for p in mirror.rglob("*.xmp")}
    add(there, new, mirror=os.fsencode(mirror))
    there.run()
    assert there.ollama.count == asked
    assert there.sources("a.jpg") == before
    assert {p: p.read_bytes() for p in mirror.rglob("*.xmp")} == before_bytes
    there.ollama.answer = SECOND
    there.run(retag=True)
    assert subject(mirror / "a.jpg.xmp") == ["Rex", "grass", "mine", "puppy"]
    assert not there.config.mirror_dir.exists()


def test_a_photo_never_gets_what_was_written_for_one_that_moved_away(
    books: Library,
) -> None:
    """The camera counts from one again: a new photo takes a moved one's name."""
    photo, moved = books.root / "a.jpg", books.root / "deep" / "moved.jpg"
    books.run()
    put_in(books.sidecar(photo), "of the first")
    books.run()
    photo.rename(moved)
    numbered(photo, 9)
    books.ollama.answer = SECOND
    books.run()
    assert books.faults() == []
    assert books.sources("moved.jpg")["of the first"] == "file"
    assert set(books.sources("a.jpg")) == {"puppy", "grass"}
    assert subject(books.sidecar(photo)) == ["grass", "puppy"]
    assert subject(books.sidecar(moved)) == ["Rex", "dog", "grass", "of the first"]


def test_a_photo_alone_is_tagged_though_another_left_its_sidecar_there(
    books: Library,
) -> None:
    """The moved one is not worked on meanwhile; its words follow it all the same."""
    photo, moved = books.root / "a.jpg", books.root / "deep" / "moved.jpg"
    books.run()
    photo.rename(moved)
    numbered(photo, 9)
    books.scan()
    before = tree(books.config.mirror_dir)
    books.faults()  # which moves nothing
    assert tree(books.config.mirror_dir) == before
    books.run(photo)
    assert subject(books.sidecar(moved)) == ["Rex", "dog", "grass"]
    assert books.sources("a.jpg") == {"dog": "gemma3:4b", "grass": "gemma3:4b"}


def test_words_of_a_picture_that_is_gone_are_not_those_of_the_next_one_there(
    books: Library,
) -> None:
    """A camera's names come again; the sidecar has a copy of what the old one had."""
    photo = books.root / "a.jpg"
    books.run()
    assert subject(books.sidecar(photo)) == ["Rex", "dog", "grass"]
    photo.unlink()
    books.scan()
    numbered(photo, 9)
    books.ollama.answer = SECOND
    books.run()
    assert subject(books.sidecar(photo)) == ["grass", "puppy"]
    assert set(books.sources("a.jpg")) == {"grass", "puppy"}


@pytest.mark.parametrize("step", ["intended", "replaced", "noted"])
def test_a_lease_lost_around_a_write_leaves_our_words_ours(
    books: Library, step: str
) -> None:
    """What a kill leaves: a sidecar of which nobody noted that it was written."""
    photo = books.root / "a.jpg"
    stop = threading.Event()

    def lose(seen: str, job: jobs.Job) -> None:
        if seen == step:
            stop.set()
            raise jobs.LeaseLost(job.id)

    books.tried(photo, observer=lose, stop=stop)
    with Database.of(books.config) as db:
        jobs.release_all(db)
    books.run()
    assert subject(books.sidecar(photo)) == ["Rex", "dog", "grass"]
    assert books.sources("a.jpg") == {
        **{"Rex": "file", "dog": "gemma3:4b", "grass": "gemma3:4b"}
    }
    take_out(photo, "Rex")  # of which the sidecar has our copy
    books.ollama.answer = SECOND
    books.run(retag=True)
    assert subject(books.sidecar(photo)) == ["grass", "puppy"]
    assert strays(books.config.data_dir) == []


# --- a mirror that is away, or gone for good ---


def test_a_mirror_that_is_away_loses_nothing_and_gets_nothing(
    books: Library, tmp_path: Path
) -> None:
    books.run()
    mirror = books.config.mirror_dir
    put_in(books.sidecar(books.root / "a.jpg"), "mine")
    books.run()
    mirror.rename(tmp_path / "unplugged")
    mirror.mkdir()  # where its disk was
    assert not books.scan().is_news
    books.ollama.answer = SECOND
    outcome = books.tried(retag=True)
    assert {image.state for image in outcome.images} == {ImageState.NOT_WRITTEN}
    assert "connect its disk" in (outcome.images[0].reason or "")
    assert list(mirror.iterdir()) == []
    assert books.sources("a.jpg")["mine"] == "file"
    assert any("is not there" in fault for fault in books.faults())
    mirror.rmdir()
    (tmp_path / "unplugged").rename(mirror)
    books.run()
    assert subject(books.sidecar(books.root / "a.jpg")) == [
        *("Rex", "grass", "mine", "puppy")
    ]
    assert books.faults() == []


def test_a_mirror_that_is_gone_is_made_anew_when_it_is_set_once_more(
    books: Library,
) -> None:
    books.run()
    shutil.rmtree(books.config.mirror_dir)
    assert not books.scan().is_news
    with Database.of(books.config) as db:
        [folder] = folders.every(db)
        folders.set_write_mode(db, folder.id, MIRROR)
    books.run()
    assert subject(books.sidecar(books.root / "a.jpg")) == ["Rex", "dog", "grass"]
    assert books.ollama.count == 3
    assert books.faults() == []
    assert (books.config.mirror_dir / "about-this-mirror.txt").is_file()


def test_sidecars_taken_out_of_a_mirror_that_is_there_are_written_again(
    books: Library,
) -> None:
    books.run()
    shutil.rmtree(Path(f"{books.config.mirror_dir}{books.root}"))
    assert books.scan().changed == 3
    books.run()
    assert len(mirrored(books.config.mirror_dir)) == 3


# --- where a mirror may be ---


def test_a_folder_has_its_mirror_where_it_wants_it(
    books: Library, tmp_path: Path
) -> None:
    mirror = tmp_path / "words"
    add(books, books.root, mirror=os.fsencode(mirror))
    books.run()
    assert mirrored(mirror) == ["a.jpg.xmp", "c.nef.xmp", "deep/b.jpg.xmp"]
    assert not books.config.mirror_dir.exists()
    put_in(mirror / "a.jpg.xmp", "mine")
    assert books.scan().changed == 1


def test_words_follow_into_another_mirror(books: Library, tmp_path: Path) -> None:
    """By the folder's own setting, then by the common one; what is there is moved."""
    photo, mirror = books.root / "a.jpg", tmp_path / "words"
    add(books, books.root)
    books.run()
    old = books.sidecar(photo)
    put_in(old, "mine")
    books.run()
    with Database.of(books.config) as db:
        [folder] = folders.every(db)
        folders.set_write_mode(db, folder.id, MIRROR, mirror=os.fsencode(mirror))
    assert books.scan().changed == 3
    books.run()
    assert subject(mirror / "a.jpg.xmp") == ["Rex", "dog", "grass", "mine"]
    assert mirrored(books.config.mirror_dir) == []
    assert not books.scan().is_news
    with Database.of(books.config) as db:
        folders.set_write_mode(db, folder.id, MIRROR, mirror=b"")
    other = settings(
        tmp_path, books.ollama.url, metadata={"mirror_dir": str(tmp_path / "other")}
    )
    books = Library(books.root, other, books.ollama, MIRROR)
    assert books.scan().changed == 3
    books.run()
    assert subject(books.sidecar(photo)) == ["Rex", "dog", "grass", "mine"]
    assert (mirror / "a.jpg.xmp").exists()  # whose mirror that was nobody knows now
    assert not books.scan().is_news
    assert books.sources("a.jpg")["mine"] == "file"
    assert books.faults() == []
    assert books.ollama.count == 3


def test_a_setting_moves_the_common_mirror(
    tmp_path: Path, ollama: OllamaDouble
) -> None:
    books = library(tmp_path, ollama, MIRROR, mirror_dir=str(tmp_path / "words"))
    photo = numbered(books.root / "a.jpg", 1)
    books.run()
    assert subject(Path(f"{tmp_path}/words{photo}.xmp")) == ["dog", "grass"]
    assert not (books.config.data_dir / "mirror").exists()


def test_two_folders_keep_apart_in_the_common_mirror(
    books: Library, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    numbered(other / "a.jpg", 5)
    books.run()
    books.ollama.answer = SECOND
    tag(books.config, [os.fsencode(other)], choose(books.config), write_mode=MIRROR)
    assert subject(books.sidecar(books.root / "a.jpg")) == ["Rex", "dog", "grass"]
    assert subject(books.sidecar(other / "a.jpg")) == ["grass", "puppy"]


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("photos/words", "neither inside"),
        ("photos", "neither inside"),
        (".", "nor around it"),
        ("taken/more", "neither inside"),
        ("taken", "neither inside"),
        ("note.txt", "needs a folder"),
        ("a\nb", "line break"),
    ],
)
def test_a_mirror_that_cannot_be_there_is_refused_with_the_reason(
    books: Library, tmp_path: Path, where: str, says: str
) -> None:
    (tmp_path / "note.txt").write_text("x")
    (tmp_path / "other").mkdir()
    add(books, tmp_path / "other", mirror=os.fsencode(tmp_path / "taken"))
    with pytest.raises(UsageError, match=says):
        add(books, books.root, mirror=os.fsencode(tmp_path / where))


def test_a_mirror_is_named_only_for_its_mode(books: Library, tmp_path: Path) -> None:
    folder = add(books, books.root)
    with (
        Database.of(books.config) as db,
        pytest.raises(UsageError, match="only where words go into a mirror"),
    ):
        folders.set_write_mode(
            db, folder, WriteMode.FILE, mirror=os.fsencode(tmp_path / "words")
        )


def test_a_common_mirror_among_the_photos_is_not_written_to(
    tmp_path: Path, ollama: OllamaDouble
) -> None:
    inside = tmp_path / "photos" / "words"
    books = library(tmp_path, ollama, MIRROR, mirror_dir=str(inside))
    numbered(books.root / "a.jpg", 1)
    before = tree(books.root)
    [image] = books.tried().failed
    assert "metadata.mirror_dir" in (image.reason or "")
    assert tree(books.root) == before


def test_words_written_into_photos_before_are_not_undone_behind_a_mirrors_back(
    tmp_path: Path, ollama: OllamaDouble
) -> None:
    books = library(tmp_path, ollama, WriteMode.FILE)
    photo = numbered(books.root / "a.jpg", 1)
    books.run()
    before = tree(books.root)
    books.mode = MIRROR
    books.run()
    outcome = undo(books.config, Which(place=os.fsencode(photo)))
    assert [one.reason for one in outcome.refused] == [
        "its folder has its words in a mirror now, and nothing is written among its "
        "photos; set the folder to another mode first"
    ]
    assert tree(books.root) == before
    books.mode = WriteMode.FILE
    books.run()
    assert undo(books.config, Which(place=os.fsencode(photo))).refused == []
    assert subject(photo) == []


def test_a_photo_that_a_link_leads_to_has_its_place_in_the_common_mirror(
    books: Library, tmp_path: Path
) -> None:
    far = numbered(tmp_path / "far" / "x.jpg", 7)
    (books.root / "link").symlink_to(tmp_path / "far")
    mirror = tmp_path / "words"
    add(books, books.root, mirror=os.fsencode(mirror))
    books.scan()
    worked(books)
    assert len(mirrored(mirror)) == 3
    linked = books.sidecar(far)
    assert subject(linked) == ["dog", "grass"]
    put_in(linked, "mine")
    assert books.scan().changed == 1
    worked(books)
    assert books.sources("x.jpg")["mine"] == "file"
    assert not books.scan().is_news
