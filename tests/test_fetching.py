"""Thumbnails of whole screens: many at once, and never one that is not the photo's."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tagger.tracking import folders
from tagger.web import media, pictures
from tagger.web.fetching import Fetcher, look
from tests.support_web import SECRET, Library, library, served

COLOURS = ("red", "green", "blue", "white", "black", "yellow", "cyan", "magenta")


@pytest.fixture
def photos(tmp_path: Path) -> Iterator[Library]:
    with library(tmp_path) as made:
        yield made


@pytest.fixture
def web(photos: Library) -> Iterator[httpx.Client]:
    with served() as client:
        yield client


def version(photos: Library, image_id: int) -> str:
    image = pictures.find(photos.opened, image_id)
    assert image is not None
    found = pictures.version_of(image)
    assert found is not None
    return found


def stored(photos: Library, image_id: int) -> bytes:
    jpeg = photos.opened.thumbnails.read(version(photos, image_id))
    assert jpeg is not None
    return jpeg


def test_many_at_once_each_get_their_own(web: httpx.Client, photos: Library) -> None:
    ids = [photos.photo(f"{c}.jpg", colour=c) for c in COLOURS]
    urls = {i: f"/thumbnails/{i}.jpg?v={version(photos, i)}" for i in ids}
    wanted = ids * 20

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda one: web.get(urls[one]), wanted))

    for image_id, answer in zip(wanted, answers, strict=True):
        assert answer.content == stored(photos, image_id)
        assert answer.headers["cache-control"] == media.FOR_EVER
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_what_is_not_the_present_thumbnail_is_left_to_the_routes(
    photos: Library,
) -> None:
    one, other = photos.photo("a.jpg"), photos.photo("b.jpg", colour="blue")
    mine, others = version(photos, one), version(photos, other)

    found = look([(one, mine), (one, others), (99, mine), (other, others)])

    assert found == [stored(photos, one), None, None, stored(photos, other)]


def test_a_photo_whose_folder_is_taken_out_has_no_thumbnail_any_more(
    web: httpx.Client, photos: Library
) -> None:
    image_id = photos.photo("a.jpg")
    url = f"/thumbnails/{image_id}.jpg?v={version(photos, image_id)}"
    assert web.get(url).is_success

    folders.remove(photos.opened.db, photos.folder_id)

    assert web.get(url).status_code == 404


def test_nobody_gets_a_thumbnail_past_the_guard(
    web: httpx.Client, photos: Library
) -> None:
    image_id = photos.photo("a.jpg")
    url = f"/thumbnails/{image_id}.jpg?v={version(photos, image_id)}"

    foreign = web.get(url, headers={"host": "evil.example"})
    wrong = web.get(url, headers={"authorization": f"Bearer {SECRET}x"})

    assert (foreign.status_code, wrong.status_code) == (403, 401)


def test_a_fault_is_told_to_all_who_asked_and_the_next_round_goes_on(
    photos: Library,
) -> None:
    image_id = photos.photo("a.jpg")
    asked = image_id, version(photos, image_id)
    jpeg = stored(photos, image_id)
    path = photos.opened.thumbnails.path_of(asked[1])
    path.unlink()
    path.mkdir()  # what stands there now cannot be read as a file

    async def ask() -> bytes | None:
        fetcher = Fetcher()
        several = [fetcher.fetch(asked) for _ in range(3)]
        faults = await asyncio.gather(*several, return_exceptions=True)
        assert [type(fault) for fault in faults] == [IsADirectoryError] * 3
        path.rmdir()
        path.write_bytes(jpeg)
        return await fetcher.fetch(asked)

    assert asyncio.run(ask()) == jpeg


def test_whoever_goes_away_holds_nobody_up(photos: Library) -> None:
    image_id = photos.photo("a.jpg")
    asked = image_id, version(photos, image_id)

    async def ask() -> bytes | None:
        fetcher = Fetcher()
        gone = asyncio.create_task(fetcher.fetch(asked))
        stays = asyncio.create_task(fetcher.fetch(asked))
        await asyncio.sleep(0)
        gone.cancel()
        return await stays

    assert asyncio.run(ask()) == stored(photos, image_id)
