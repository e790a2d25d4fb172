"""Files are served by id, and never one that a link was put in the way to."""

import contextlib
import json
import os
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image

from tagger.pipeline.discover import Scanner
from tagger.tracking import folders, places
from tagger.web import opening, pictures
from tagger.web.opening import NoPicture
from tests.support_web import Library, library, served

SECRET = b"root:x:0:0:the secret of another:"


@pytest.fixture
def photos(tmp_path: Path) -> Iterator[Library]:
    with library(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def server() -> Iterator[httpx.Client]:
    with served() as client:
        yield client


@pytest.fixture
def web(server: httpx.Client, photos: Library) -> httpx.Client:
    """The one server, now for this test's photos."""
    return server


@pytest.fixture
def secret(tmp_path: Path, photos: Library) -> Path:
    """A picture of somebody else, and a file that is none, outside the library."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "passwd").write_bytes(SECRET)
    Image.new("RGB", (64, 48), "red").save(outside / "a.jpg", comment=SECRET)
    Image.new("RGB", (64, 48), "red").save(outside / "a.tiff", description=SECRET)
    return outside


def addresses(photos: Library, image_id: int) -> list[str]:
    """Every address that has the file read, the thumbnail being gone."""
    shutil.rmtree(photos.opened.thumbnails.dir, ignore_errors=True)
    image = pictures.find(photos.opened, image_id)
    assert image is not None
    thumbnail = pictures.thumbnail_url(image)
    assert thumbnail is not None
    urls = [pictures.original_url(image_id), pictures.browser_url(image_id), thumbnail]
    return urls


def assert_refused(web: httpx.Client, urls: list[str], reason: str = "link") -> None:
    for url in urls:
        answer = web.get(url, headers={"range": "bytes=0-10"})
        assert answer.status_code == 404, url
        assert reason in answer.json()["detail"], url
        assert SECRET not in answer.content


@pytest.mark.parametrize("target", ["passwd", "a.jpg", "a.tiff"])
@pytest.mark.parametrize("kind", ["jpg", "tiff"])
def test_a_photo_replaced_by_a_link_is_not_served(
    web: httpx.Client, photos: Library, secret: Path, target: str, kind: str
) -> None:
    image_id = photos.photo(f"a.{kind}", save_as={"jpg": "JPEG", "tiff": "TIFF"}[kind])
    urls = addresses(photos, image_id)
    assert all(web.get(url).is_success for url in urls)
    urls = addresses(photos, image_id)
    (photos.root / f"a.{kind}").unlink()
    (photos.root / f"a.{kind}").symlink_to(secret / target)

    assert_refused(web, urls)


def test_a_photo_replaced_by_a_link_to_its_neighbour_is_not_served(
    web: httpx.Client, photos: Library
) -> None:
    image_id = photos.photo("a.jpg")
    (photos.root / "private.txt").write_bytes(SECRET)
    (photos.root / "a.jpg").unlink()
    (photos.root / "a.jpg").symlink_to("private.txt")

    assert_refused(web, addresses(photos, image_id))


def test_a_folder_above_replaced_by_a_link_opens_nothing(
    web: httpx.Client, photos: Library, secret: Path
) -> None:
    (photos.root / "2024").mkdir()
    image_id = photos.photo("2024/a.jpg")
    (photos.root / "2024").rename(photos.root / "before")
    (photos.root / "2024").symlink_to(secret)

    assert_refused(web, addresses(photos, image_id))


def test_a_file_that_is_swapped_for_a_link_all_the_time_never_gives_the_other(
    web: httpx.Client, photos: Library, secret: Path
) -> None:
    image_id = photos.photo("a.jpg")
    path, spare = photos.root / "a.jpg", photos.root / "spare"
    real = path.read_bytes()
    swaps, stop = 0, threading.Event()

    def swap() -> None:
        nonlocal swaps
        while not stop.is_set():
            with contextlib.suppress(FileExistsError):
                spare.symlink_to(secret / "passwd")
            os.replace(spare, path)
            spare.write_bytes(real)
            os.replace(spare, path)
            swaps += 1

    swapper = threading.Thread(target=swap)
    swapper.start()
    try:
        url = pictures.original_url(image_id)
        answers = [web.get(url) for _ in range(150)]
    finally:
        stop.set()
        swapper.join()
    assert swaps > 10
    assert {answer.status_code for answer in answers} <= {200, 404}
    assert {answer.content for answer in answers if answer.is_success} <= {real}


def test_the_place_is_that_of_the_open_file_not_of_what_has_its_name_by_now(
    photos: Library, secret: Path
) -> None:
    image = pictures.find(photos.opened, photos.photo("a.jpg"))
    assert image is not None
    path = photos.root / "a.jpg"
    whole = path.read_bytes()
    with opening.photo(photos.opened, image) as file:
        path.unlink()
        path.symlink_to(secret / "passwd")
        with open(opening.path_of(file), "rb") as again:
            assert again.read() == whole
    with pytest.raises(NoPicture, match="link"):
        opening.photo(photos.opened, image)


def linked_in(photos: Library, elsewhere: Path) -> int:
    """A photo that a link in the library's folder leads to, as a scan finds it."""
    (photos.root / "elsewhere").symlink_to(elsewhere)
    db = photos.opened.db
    folder = folders.get(db, photos.folder_id)
    Scanner(db, data_dir=photos.opened.config.data_dir, settle_s=0.0).scan(folder)
    [image_id] = places.ids(db, [os.fsencode(elsewhere / "a.jpg")])
    photos.opened.take()
    return image_id


def test_a_photo_that_the_scan_reached_by_a_link_is_served(
    web: httpx.Client, photos: Library, secret: Path
) -> None:
    image_id = linked_in(photos, secret)
    answer = web.get(pictures.original_url(image_id))
    assert answer.content == (secret / "a.jpg").read_bytes()


def test_a_library_that_was_moved_and_left_a_link_is_served(
    web: httpx.Client, photos: Library, tmp_path: Path
) -> None:
    image_id = photos.photo("a.jpg")
    photos.root.rename(tmp_path / "moved")
    photos.root.symlink_to(tmp_path / "moved")
    for url in addresses(photos, image_id):
        assert web.get(url).is_success, url
    (tmp_path / "moved" / "a.jpg").unlink()
    (tmp_path / "moved" / "a.jpg").symlink_to(tmp_path / "config.toml")
    (tmp_path / "config.toml").write_bytes(SECRET)
    assert_refused(web, addresses(photos, image_id))


def with_roots(photos: Library, *named: Path) -> None:
    config = photos.opened.config
    limit = config.library.model_copy(update={"roots": tuple(map(str, named))})
    photos.opened.config = config.model_copy(update={"library": limit})


def test_nothing_outside_the_roots_is_served_however_it_came_in(
    web: httpx.Client, photos: Library, secret: Path, tmp_path: Path
) -> None:
    inside, linked = photos.photo("a.jpg"), linked_in(photos, secret)
    outside = pictures.original_url(linked)

    with_roots(photos, photos.root)
    assert web.get(pictures.original_url(inside)).is_success
    assert_refused(web, [outside], "library.roots")

    with_roots(photos, photos.root, secret)
    assert web.get(outside).is_success

    with_roots(photos, tmp_path / "gone")
    assert_refused(web, addresses(photos, inside), "library.roots")


def test_a_library_moved_out_of_the_roots_is_not_served(
    web: httpx.Client, photos: Library, tmp_path: Path
) -> None:
    image_id = photos.photo("a.jpg")
    with_roots(photos, photos.root)
    (tmp_path / "secret").mkdir()
    photos.root.rename(tmp_path / "secret" / "moved")
    photos.root.symlink_to(tmp_path / "secret" / "moved")
    # The root is itself the link now: whoever may set that allows what it leads to.
    assert web.get(pictures.original_url(image_id)).is_success
    with_roots(photos, tmp_path / "data")
    assert_refused(web, addresses(photos, image_id), "library.roots")


HOSTILE = [
    "/api/images/..%2f..%2f..%2f..%2fetc%2fpasswd/original",
    "/api/images/..%252f..%252fetc%252fpasswd/original",
    "/api/images/%2fetc%2fpasswd/original",
    "/api/images//etc/passwd/original",
    "/api/images/{id}%00/original",
    "/api/images/{id}%00.jpg/original",
    "/api/images/{id}/original/../../../../etc/passwd",
    "/api/images/{id}/..%2f..%2fetc%2fpasswd",
    "/api/images/{id}/original%2f..%2f..%2fetc%2fpasswd",
    "/api/images/{id}/original?view=../../etc/passwd",
    "/api/images/{id}/original?view=browser%00",
    "/api/images/0/original",
    "/api/images/-1/original",
    "/api/images/1e0/original",
    "/api/images/0x1/original",
    "/api/images/9223372036854775808/original",
    "/api/images/" + "9" * 4000 + "/original",
    "/api/images/%c0%ae%c0%ae%c0%afetc/original",
    "/api/images/%ff%fe/original",
    "/api/images/%e2%80%ae1/original",
    "/api/images/\\..\\etc\\passwd/original",
    "/thumbnails/..%2f..%2fetc%2fpasswd.jpg",
    "/thumbnails/../../etc/passwd",
    "/thumbnails/{id}.jpg%00",
    "/thumbnails/{id}%2f..%2f..%2fpasswd.jpg",
    "/thumbnails/" + "9" * 4000 + ".jpg",
    "/thumbnails//etc/passwd",
    "/api/../../../etc/passwd",
    "//etc/passwd",
]


def status_and_body(web: httpx.Client, target: str) -> tuple[int, bytes]:
    """What the server answers to a target exactly as it is spelt."""
    place = web.base_url
    head = (
        f"GET {target} HTTP/1.1\r\nHost: {place.host}:{place.port}\r\n"
        "Connection: close\r\n\r\n"
    )
    with socket.create_connection((place.host, place.port or 80), timeout=20) as plain:
        plain.sendall(head.encode("latin-1"))
        answer = b""
        while piece := plain.recv(65536):
            answer += piece
    return int(answer.split()[1]), answer


@pytest.mark.parametrize("target", HOSTILE)
def test_no_spelling_of_an_address_reaches_another_file(
    web: httpx.Client, photos: Library, target: str
) -> None:
    image_id = photos.photo("a.jpg")
    status, answer = status_and_body(web, target.format(id=image_id))
    assert 400 <= status < 500
    assert b"root:" not in answer
    assert b"Traceback" not in answer
    assert web.get(pictures.original_url(image_id)).is_success


def test_an_answer_that_is_over_leaves_no_file_open(
    web: httpx.Client, photos: Library
) -> None:
    image_id = photos.photo("a.jpg")
    for url in (pictures.original_url(image_id), pictures.browser_url(image_id)):
        for headers in ({}, {"range": "bytes=1-3"}, {"range": "bytes=900000-"}):
            web.get(url, headers=headers)
            web.head(url, headers=headers)
    path = str(photos.root / "a.jpg")
    descriptors = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
    open_now = [os.readlink(one) for one in descriptors if os.path.islink(one)]
    assert path not in open_now


def test_roots_in_the_environment_hold_for_what_is_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAGGER_LIBRARY__ROOTS", json.dumps([str(tmp_path / "other")]))
    with served() as client, library(tmp_path) as photos:
        image_id = photos.photo("a.jpg")
        assert_refused(client, addresses(photos, image_id), "library.roots")
