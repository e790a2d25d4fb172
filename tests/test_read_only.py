"""What may not be written: said, left as it is, and made up for once it may."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tagger.config import Config
from tests import support_imaging
from tests.ollama_double import OllamaDouble
from tests.support_disks import (
    another_way_in,
    command,
    disk,
    set_read_only,
    tagged,
    with_disks,
)
from tests.support_pipeline import (
    in_file,
    numbered,
    put_keywords,
    reads_number,
    settings,
    strays,
)
from tests.test_full_disks import files

pytestmark = pytest.mark.slow

TAGGED, NOT_WRITTEN = "tagged", "not written"
WORDS = ["Oma", "number 1", "bar code"]


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Config]:
    with OllamaDouble(reads_number) as ollama:
        yield settings(tmp_path, ollama.url)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return photo_in(tmp_path / "photos")


def photo_in(folder: Path) -> Path:
    path = numbered(folder / "1.jpg", 1)
    put_keywords(path, "Oma")
    return path


def assert_well(config: Config, folder: Path) -> None:
    assert strays(folder) == []
    verified = command(config, "verify")
    assert verified.returncode == 0, verified.stdout


def test_a_read_only_photo_gets_a_sidecar_and_is_written_once_it_may_be(
    config: Config, photo: Path
) -> None:
    photo.chmod(0o444)
    before = files(photo.parent)
    first = tagged(config, photo.parent, rightless=True)
    assert first == {"1.jpg": (TAGGED, "sidecar", "it is read-only")}
    assert {"1.jpg": files(photo.parent)["1.jpg"]} == before
    assert in_file(Path(f"{photo}.xmp"))["XMP-dc:Subject"] == WORDS
    assert_well(config, photo.parent)
    photo.chmod(0o644)
    second = tagged(config, photo.parent, rightless=True)
    assert second == {"1.jpg": (TAGGED, "file", None)}
    assert in_file(photo)["XMP-dc:Subject"] == WORDS
    assert_well(config, photo.parent)


def test_a_read_only_folder_is_said_and_its_photos_written_once_it_may_be(
    config: Config, photo: Path
) -> None:
    support_imaging.make("bmp", photo.parent)
    before = files(photo.parent)
    photo.parent.chmod(0o555)
    reason = "its folder is read-only"
    first = tagged(config, photo.parent, rightless=True)
    assert first["1.jpg"] == (NOT_WRITTEN, None, reason)
    assert first["bmp.bmp"][0] == NOT_WRITTEN
    assert reason in str(first["bmp.bmp"][2])
    assert files(photo.parent) == before
    assert tagged(config, photo.parent, rightless=True) == first
    photo.parent.chmod(0o755)
    second = tagged(config, photo.parent, rightless=True)
    assert second["1.jpg"] == (TAGGED, "file", None)
    assert second["bmp.bmp"][:2] == (TAGGED, "sidecar")
    assert in_file(photo)["XMP-dc:Subject"] == WORDS
    assert_well(config, photo.parent)


@with_disks
def test_a_disk_mounted_read_only_is_said_and_written_once_it_may_be(
    config: Config, tmp_path: Path
) -> None:
    with disk(tmp_path / "photos", "48m") as folder:
        photo = photo_in(folder)
        assert_left_until_writable(config, photo, folder)


@with_disks
def test_a_folder_bound_read_only_is_said_and_written_once_it_may_be(
    config: Config, photo: Path, tmp_path: Path
) -> None:
    with another_way_in(photo.parent, tmp_path / "bound") as folder:
        assert_left_until_writable(config, folder / "1.jpg", folder)


def assert_left_until_writable(config: Config, photo: Path, mount: Path) -> None:
    before = files(photo.parent)
    set_read_only(mount, True)
    [(state, written, reason)] = tagged(config, photo.parent).values()
    assert (state, written) == (NOT_WRITTEN, None)
    assert "read-only" in str(reason)
    assert files(photo.parent) == before
    set_read_only(mount, False)
    assert tagged(config, photo.parent) == {"1.jpg": (TAGGED, "file", None)}
    assert in_file(photo)["XMP-dc:Subject"] == WORDS
    assert_well(config, photo.parent)


def test_a_photo_that_nobody_may_read_fails_with_the_reason_until_one_may(
    config: Config, photo: Path
) -> None:
    photo.chmod(0)
    [(state, _, reason)] = tagged(config, photo.parent, rightless=True).values()
    assert state == "failed"
    assert "permission denied" in str(reason)
    photo.chmod(0o600)
    second = tagged(config, photo.parent, rightless=True)
    assert second == {"1.jpg": (TAGGED, "file", None)}
    assert photo.stat().st_mode & 0o777 == 0o600
    assert_well(config, photo.parent)


def test_another_users_photo_is_left_to_that_user(config: Config, photo: Path) -> None:
    if os.geteuid() != 0:  # and cannot give a file away, so it stays one's own
        assert tagged(config, photo.parent)["1.jpg"] == (TAGGED, "file", None)
        return
    os.chown(photo, 1234, 1234)
    photo.chmod(0o666)
    photo.parent.chmod(0o777)
    before = files(photo.parent)
    [(state, written, reason)] = tagged(config, photo.parent, rightless=True).values()
    assert (state, written) == (TAGGED, "sidecar")
    assert "owner" in str(reason)
    assert files(photo.parent)["1.jpg"] == before["1.jpg"]
    assert_well(config, photo.parent)


def test_a_data_folder_that_may_not_be_written_is_said_in_one_line(
    config: Config, photo: Path
) -> None:
    before = files(photo.parent)
    config.data_dir.mkdir(mode=0o555)
    told = command(config, "tag", photo.parent, rightless=True)
    assert told.returncode == 1
    assert "Traceback" not in told.stderr
    assert str(config.data_dir) in told.stderr
    assert files(photo.parent) == before
    config.data_dir.chmod(0o755)
    assert tagged(config, photo.parent)["1.jpg"] == (TAGGED, "file", None)
