"""Thumbnails and originals: what may be kept for ever, and files with nasty names."""

import io
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest
from PIL import Image

from tagger.web import media, pictures
from tagger.web.opening import NoPicture
from tests.support_web import Library, library, served


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


def address(photos: Library, image_id: int) -> str:
    image = pictures.find(photos.opened, image_id)
    assert image is not None
    url = pictures.thumbnail_url(image)
    assert url is not None
    return url


def forget_thumbnails(photos: Library) -> None:
    for jpeg in photos.opened.thumbnails.dir.rglob("*.jpg"):
        jpeg.unlink()


def test_only_the_present_version_may_be_kept_for_ever(
    web: httpx.Client, photos: Library
) -> None:
    url = address(photos, photos.photo("a.jpg"))

    kept = web.get(url)
    others = [web.get(url + "0"), web.get(url.partition("?")[0])]

    assert kept.headers["cache-control"] == media.FOR_EVER
    assert kept.headers["content-type"] == "image/jpeg"
    for other in others:
        assert other.headers["cache-control"] == "no-store"
        assert other.content == kept.content


def test_a_turned_photo_has_another_version_of_the_same_picture(
    web: httpx.Client, photos: Library
) -> None:
    image_id = photos.photo("a.jpg")
    before = address(photos, image_id)
    path = photos.root / "a.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(path) as plain:
        plain.save(path, "JPEG", exif=exif, quality="keep")

    photos.tagged(os.fsencode(path))
    after = address(photos, image_id)

    assert after != before
    assert web.get(before).headers["cache-control"] == "no-store"
    with Image.open(io.BytesIO(web.get(after).content)) as turned:
        assert turned.height > turned.width


def test_a_missing_thumbnail_is_made_from_the_file_and_stored(
    web: httpx.Client, photos: Library
) -> None:
    url = address(photos, photos.photo("a.jpg"))
    forget_thumbnails(photos)

    assert web.get(url).headers["cache-control"] == media.FOR_EVER
    (photos.root / "a.jpg").unlink()
    assert web.get(url).is_success


def test_no_thumbnail_is_made_of_a_file_that_became_another_picture(
    web: httpx.Client, photos: Library
) -> None:
    url = address(photos, photos.photo("a.jpg"))
    forget_thumbnails(photos)
    Image.new("RGB", (64, 48), "blue").save(photos.root / "a.jpg")

    answer = web.get(url)

    assert answer.status_code == 404
    assert "changed" in answer.json()["detail"]


@pytest.mark.parametrize("spoiled", ["gone", "damaged", "pipe"])
def test_a_file_out_of_reach_is_a_json_404(
    web: httpx.Client, photos: Library, spoiled: str
) -> None:
    image_id = photos.photo("a.jpg")
    url = address(photos, image_id)
    forget_thumbnails(photos)
    path = photos.root / "a.jpg"
    path.unlink()
    if spoiled == "damaged":
        path.write_bytes(b"not a picture")
    if spoiled == "pipe":
        os.mkfifo(path)

    answer = web.get(url)

    assert answer.status_code == 404
    assert answer.json()["detail"]
    assert answer.headers["cache-control"] == "no-store"
    if spoiled != "damaged":
        assert web.get(f"/api/images/{image_id}/original").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/thumbnails/99.jpg",
        "/thumbnails/x.jpg",
        "/thumbnails/1",
        f"/thumbnails/{2**70}.jpg",
    ],
)
def test_what_is_no_photo_is_a_json_404(web: httpx.Client, path: str) -> None:
    answer = web.get(path)

    assert answer.status_code == 404
    assert answer.json()["detail"]


NASTY = [
    'a"; filename="evil.html.jpg',
    "semi;colon, comma.jpg",
    "%2e%2e%2fpasswd.jpg",
    "日本 ümlaut 🐕.jpg",
    "-rf *.jpg",
    "<script>.jpg",
]


@pytest.mark.parametrize("name", NASTY)
def test_an_original_is_a_download_under_its_own_name(
    web: httpx.Client, photos: Library, name: str
) -> None:
    image_id = photos.photo(name)

    answer = web.get(f"/api/images/{image_id}/original")
    disposition = answer.headers["content-disposition"]

    assert answer.content == (photos.root / name).read_bytes()
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["x-content-type-options"] == "nosniff"
    kind, _, encoded = disposition.partition("; filename*=utf-8''")
    assert kind == "attachment"
    assert unquote(encoded) == name
    assert not set(encoded) & set('";, <>\\')


def test_an_original_whose_name_is_not_utf8_is_served_all_the_same(
    web: httpx.Client, photos: Library
) -> None:
    image_id = photos.photo(b"caf\xe9.jpg")

    answer = web.get(f"/api/images/{image_id}/original")

    assert answer.content.startswith(b"\xff\xd8")
    assert unquote(answer.headers["content-disposition"]).endswith("caf\ufffd.jpg")


def test_a_part_of_an_original_can_be_asked_for(
    web: httpx.Client, photos: Library
) -> None:
    image_id = photos.photo("a.jpg")
    whole = (photos.root / "a.jpg").read_bytes()

    part = web.get(f"/api/images/{image_id}/original", headers={"Range": "bytes=2-9"})

    assert part.status_code == 206
    assert part.content == whole[2:10]
    assert part.headers["content-range"] == f"bytes 2-9/{len(whole)}"


@pytest.mark.parametrize(
    ("format", "shown_as"), [("JPEG", "JPEG"), ("PNG", "PNG"), ("TIFF", "JPEG")]
)
def test_every_photo_can_be_shown_in_a_browser(
    web: httpx.Client, photos: Library, format: str, shown_as: str
) -> None:
    image_id = photos.photo(f"a.{format.lower()}", save_as=format)

    answer = web.get(pictures.browser_url(image_id))

    assert answer.headers["content-type"] == f"image/{shown_as.lower()}"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "attachment" not in answer.headers.get("content-disposition", "")
    with Image.open(io.BytesIO(answer.content)) as shown:
        assert (shown.format, shown.size) == (shown_as, (64, 48))


def test_a_photo_that_was_not_looked_at_has_no_thumbnail(photos: Library) -> None:
    image_id = photos.photo("a.jpg")
    image = pictures.find(photos.opened, image_id)
    assert image is not None
    unseen = type(image)(
        id=image_id,
        folder_id=1,
        path=image.path,
        size_bytes=1,
        added_at=image.added_at,
        state=image.state,
    )

    assert pictures.thumbnail_url(unseen) is None
    with pytest.raises(NoPicture):
        pictures.thumbnail(photos.opened, unseen)
