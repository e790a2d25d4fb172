"""Links, attributes, odd names and things that are no photos, in one whole run."""

import errno
import os
import socket
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from tagger.config import Config
from tests import support_imaging
from tests.ollama_double import OllamaDouble
from tests.support_disks import command, tagged
from tests.support_metadata import all_fields, person_writes
from tests.support_pipeline import numbered, reads_number, settings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

TAGGED, NOT_WRITTEN, FAILED = "tagged", "not written", "failed"


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Config]:
    with OllamaDouble(reads_number) as ollama:
        yield settings(tmp_path, ollama.url)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    return tmp_path / "photos"


def words(path: bytes | Path) -> list[str]:
    return all_fields(path, ["XMP-dc:Subject"])["XMP-dc:Subject"]


def assert_well(config: Config) -> None:
    verified = command(config, "verify")
    assert verified.returncode == 0, verified.stdout


def links(folder: Path) -> dict[str, str]:
    return {p.name: os.readlink(p) for p in folder.iterdir() if p.is_symlink()}


def test_links_stay_links_and_what_they_lead_to_is_tagged_once(
    config: Config, folder: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    numbered(folder / "real.jpg", 1)
    numbered(elsewhere / "out.jpg", 2)
    for name, target in {
        "link.jpg": "real.jpg",
        "chain.jpg": "between.jpg",
        "between.jpg": str(folder / "link.jpg"),
        "outward.jpg": "../elsewhere/out.jpg",
        "broken.jpg": "nowhere.jpg",
        "loop.jpg": "pool.jpg",
        "pool.jpg": "loop.jpg",
        "itself.jpg": "itself.jpg",
        "here": ".",
        "up": "..",
    }.items():
        (folder / name).symlink_to(target)
    before = links(folder)

    assert tagged(config, folder) == {
        "real.jpg": (TAGGED, "file", None),
        "out.jpg": (TAGGED, "file", None),
    }
    assert links(folder) == before
    assert words(folder / "real.jpg") == ["number 1", "bar code"]
    assert words(elsewhere / "out.jpg") == ["number 2", "bar code"]
    assert sorted(os.listdir(elsewhere)) == ["out.jpg"]
    assert tagged(config, folder, "--retag").keys() == {"real.jpg", "out.jpg"}
    assert links(folder) == before
    assert_well(config)


def test_hard_links_stay_one_file_and_each_has_its_sidecar(
    config: Config, folder: Path
) -> None:
    numbered(folder / "one.jpg", 1)
    os.link(folder / "one.jpg", folder / "two.jpg")
    before = (folder / "one.jpg").read_bytes()

    reason = "it has other hard links, which replacing it would cut off"
    assert tagged(config, folder) == {
        "one.jpg": (TAGGED, "sidecar", reason),
        "two.jpg": (TAGGED, "sidecar", reason),
    }
    assert os.path.samefile(folder / "one.jpg", folder / "two.jpg")
    assert (folder / "one.jpg").read_bytes() == before
    for name in ("one.jpg.xmp", "two.jpg.xmp"):
        assert words(folder / name) == ["number 1", "bar code"]
    assert_well(config)


# Version 2 of Linux's access lists: the owner, user 1234, the group, the mask, others.
ACCESS_LIST = struct.pack("<I", 2) + b"".join(
    struct.pack("<HHI", tag, rights, who)
    for tag, rights, who in (
        (0x01, 6, 0xFFFFFFFF),
        (0x02, 4, 1234),
        (0x04, 4, 0xFFFFFFFF),
        (0x10, 4, 0xFFFFFFFF),
        (0x20, 0, 0xFFFFFFFF),
    )
)


def attributes(path: Path) -> dict[str, object]:
    found = path.stat()
    return {
        "mode": oct(found.st_mode),
        "owner": (found.st_uid, found.st_gid),
        "mtime_ns": found.st_mtime_ns,
        "atime_ns": found.st_atime_ns,
        **{name: os.getxattr(path, name) for name in os.listxattr(path)},
    }


def test_attributes_owner_mode_times_and_access_list_are_kept(
    config: Config, folder: Path
) -> None:
    photos = []
    for number, mode in enumerate((0o600, 0o640, 0o777, 0o2755, 0o4644), start=1):
        photo = numbered(folder / f"{number}.jpg", number)
        person_writes(photo, "-XMP-dc:Subject=Oma")
        if os.geteuid() == 0:
            os.chown(photo, 1000 + number, 2000 + number)
        photo.chmod(mode)
        os.setxattr(photo, "user.rating", b"five \0 stars")
        os.setxattr(photo, "user.xdg.tags", "Bücher,東京".encode())
        os.utime(photo, ns=(10**18 + number, 10**18 + 123_456_789 + number))
        photos.append(photo)
    give_access_list(photos[0])
    before = {photo: attributes(photo) for photo in photos}

    assert {state for state, *_ in tagged(config, folder).values()} == {TAGGED}
    assert tagged(config, folder, "--retag").keys() == {p.name for p in photos}
    for number, photo in enumerate(photos, start=1):
        assert words(photo) == ["Oma", f"number {number}", "bar code"]
        now, was = attributes(photo), dict(before[photo])
        # Reading a file may move the time of its last reading.
        assert now.pop("atime_ns") >= was.pop("atime_ns")  # type: ignore[operator]
        assert now == was


def give_access_list(photo: Path) -> None:
    """Where the file system knows such lists."""
    try:
        os.setxattr(photo, "system.posix_acl_access", ACCESS_LIST)
    except OSError as error:
        if error.errno != errno.EOPNOTSUPP:
            raise


def test_what_is_named_like_a_photo_but_is_none_holds_nothing_up(
    config: Config, folder: Path
) -> None:
    numbered(folder / "1.jpg", 1)
    os.mkfifo(folder / "fifo.jpg")
    (folder / "link to fifo.jpg").symlink_to("fifo.jpg")
    numbered(folder / "folder.jpg" / "2.jpg", 2)
    support_imaging.make("bmp", folder)
    os.mkfifo(folder / "bmp.bmp.xmp")
    os.mkfifo(folder / "1.jpg.xmp")
    if os.geteuid() == 0:
        os.mknod(folder / "null.jpg", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "socket.jpg"))
        found = tagged(config, folder)
        names = sorted(os.listdir(folder))

    reason = (
        "exiftool cannot write BMP files; what is at the place of its sidecar is none"
    )
    assert found == {
        "1.jpg": (TAGGED, "file", None),
        "2.jpg": (TAGGED, "file", None),
        "bmp.bmp": (NOT_WRITTEN, None, reason),
    }
    assert stat.S_ISFIFO(os.stat(folder / "fifo.jpg").st_mode)
    assert stat.S_ISFIFO(os.stat(folder / "bmp.bmp.xmp").st_mode)
    assert not [name for name in names if name.startswith(".")]


TAKEN = (
    *(b"-rf.jpg", b"-execute.jpg", b"--.jpg", b" lead.jpg", b"trail .jpg", b" .jpg"),
    *(b"two  spaces.jpg", b"'single'.jpg", b'"double".jpg', b'it\'s "both".jpg'),
    *(b"%d.jpg", b"%d%f_%c.%e.jpg", b"%.jpg", b"100%.jpg", b"${x}.jpg", b"$HOME.jpg"),
    *(b"a;rm -rf ~.jpg", b"$(touch pwned).jpg", b"`touch pwned`.jpg", b"a&b|c>d.jpg"),
    *(b"*.jpg", b"?.jpg", b"[ab].jpg", b"{a,b}.jpg", b"back\\slash.jpg", b"!.jpg"),
    *(b"#hash.jpg", b"@file.jpg", b"~.jpg", b"=.jpg", b"a=b.jpg", b"<in.jpg", b":.jpg"),
    *(b"tab\t.jpg", b"\x01\x1b[31mred\x7f.jpg", b"caf\xe9 \xff\xfe.jpg", b"\xc3.jpg"),
    *("Zürich 東京 😀.jpg".encode(), "e\u0301te\u0301.jpg".encode(), b"&#10;.jpg"),
    *("\u202egpj.exe.jpg".encode(), b"CAPITAL.JPG", b"a.png.jpeg", b"con.jpg"),
    *(
        b"x" * 251 + b".jpg",
        "ä".encode() * 125 + b"x.jpg",
        b"a.xmp.jpg",
        b"null\\0.jpg",
    ),
)
REFUSED = (b"new\nline.jpg", b'x\n-if\nsystem("touch pwned")||1.jpg', b"return\r.jpg")
FOLDER = b"-d %d 'q\" ;rm $(x) \xff \xf0\x9f\x98\x80"


def test_no_name_of_a_file_or_folder_is_taken_for_anything_else(
    config: Config, folder: Path
) -> None:
    place = os.path.join(os.fsencode(folder), FOLDER)
    os.mkdir(place)
    for number, name in enumerate((*TAKEN, *REFUSED), start=1):
        made = numbered(folder.parent / "made.jpg", number)
        person_writes(made, "-XMP-dc:Subject=Oma")
        os.rename(made, os.path.join(place, name.replace(b"/", b"_")))

    found = tagged(config, folder)

    assert sorted(state for state, *_ in found.values()) == sorted(
        [TAGGED] * len(TAKEN) + [FAILED] * len(REFUSED)
    )
    for state, _, reason in found.values():
        assert state == TAGGED or "line break; rename it" in str(reason)
    for number, name in enumerate(TAKEN, start=1):
        assert words(os.path.join(place, name)) == [
            "Oma",
            f"number {number}",
            "bar code",
        ]
    assert sorted(os.listdir(place)) == sorted((*TAKEN, *REFUSED))
    assert not [path for path in Path.cwd().iterdir() if path.name == "pwned"]
    assert not list(folder.rglob("pwned"))
    assert_well(config)
    undone = command(config, "undo", "--image", folder)
    assert undone.returncode == 0, undone.stderr
    for name in TAKEN:
        assert words(os.path.join(place, name)) == ["Oma"]


def test_a_name_too_long_for_a_sidecar_is_said(config: Config, folder: Path) -> None:
    support_imaging.make("bmp", folder, name="x" * 251 + ".bmp")
    [(state, _, reason)] = tagged(config, folder).values()
    assert state == NOT_WRITTEN
    assert "too long" in str(reason)
    assert len(os.listdir(folder)) == 1
