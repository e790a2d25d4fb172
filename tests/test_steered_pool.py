"""What people say of the queue holds for a pool, folder by bound folder."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tagger.config import Config
from tagger.pipeline.flow import Flow
from tagger.pipeline.workshop import Workshop
from tagger.records import ImageState, WriteMode
from tagger.tracking import bindings, controls, edits, folders, places, snapshots
from tests.ollama_double import OllamaDouble
from tests.support_pipeline import in_file, known_images, numbered, reads_number
from tests.support_servers import flowing, pool, seen, tagged, tick_until

PRIVATE, PUBLIC = range(1, 7), range(11, 17)


@pytest.fixture
def near() -> Iterator[OllamaDouble]:
    with OllamaDouble(reads_number, delay_s=0.3) as double:
        yield double


@pytest.fixture
def far() -> Iterator[OllamaDouble]:
    with OllamaDouble(reads_number, delay_s=0.3) as double:
        yield double


@pytest.fixture
def both(tmp_path: Path, near: OllamaDouble, far: OllamaDouble) -> Config:
    for number in PRIVATE:
        numbered(tmp_path / "private" / f"{number}.jpg", number)
    for number in PUBLIC:
        numbered(tmp_path / "public" / f"{number}.jpg", number)
    return pool(
        tmp_path,
        {"name": "near", "url": near.url, "weight": 0},
        {"name": "far", "url": far.url, "parallel": 2},
    )


def bind(shop: Workshop, folder: Path) -> None:
    known = folders.find(shop.db, os.fsencode(folder))
    assert known is not None
    bindings.bind(shop.db, known.id, ["near"])


def ids_of(shop: Workshop, *photos: Path) -> list[int]:
    return places.ids(shop.db, [os.fsencode(photo) for photo in photos])


def done(shop: Workshop) -> int:
    found = snapshots.after(shop.db, 0, limit=99)
    return [image.state for image in found].count(ImageState.TAGGED)


def near_is_out(flow: Flow) -> bool:
    return any(one.name == "near" and one.problem for one in flow.reports())


def test_a_pause_finishes_what_is_at_each_server_and_nothing_more(
    tmp_path: Path, both: Config, near: OllamaDouble, far: OllamaDouble
) -> None:
    near.delay_s = far.delay_s = 1.5
    with flowing(both, tmp_path / "private", tmp_path / "public") as (shop, flow):
        bind(shop, tmp_path / "private")
        tick_until(flow, lambda: near.busy == 1 and far.busy == 2)
        controls.pause(shop.db)
        tick_until(flow, lambda: flow.held == 0)
        assert (near.count, far.count, done(shop)) == (1, 2, 3)
        near.delay_s = far.delay_s = 0.0
        controls.resume(shop.db)
        tick_until(flow, tagged(shop))
    assert sorted(seen(near)) == [*PRIVATE]
    assert sorted(seen(far)) == [*PUBLIC]


def test_a_photo_wanted_now_goes_ahead_at_its_own_server(
    tmp_path: Path, both: Config, near: OllamaDouble
) -> None:
    with flowing(both, tmp_path / "private", tmp_path / "public") as (shop, flow):
        bind(shop, tmp_path / "private")
        tick_until(flow, lambda: near.busy == 1 and flow.held > 4)
        controls.want_now(shop.db, ids_of(shop, tmp_path / "private" / "6.jpg"))
        tick_until(flow, lambda: len(near.asked) >= 3)
        assert 6 in seen(near)[:3]


def test_a_photo_wanted_now_is_not_taken_while_no_server_may_have_it(
    tmp_path: Path, both: Config, near: OllamaDouble, far: OllamaDouble
) -> None:
    with flowing(both, tmp_path / "private", tmp_path / "public") as (shop, flow):
        bind(shop, tmp_path / "private")
        near.hang_up()
        tick_until(flow, lambda: near_is_out(flow))
        controls.pause(shop.db)
        tick_until(flow, lambda: flow.held == 0)
        before = done(shop)
        wanted = [tmp_path / "private" / "6.jpg", tmp_path / "public" / "16.jpg"]
        controls.want_now(shop.db, ids_of(shop, *wanted))
        tick_until(flow, lambda: done(shop) == before + 1 and flow.held == 0)
        for _ in range(50):  # the other one waits, and is not taken up for nothing
            flow.tick()
            assert flow.held == 0
            time.sleep(0.02)
        assert any("is bound to near" in sentence for sentence in flow.waits())
    states = {name: image.state for name, image in known_images(both).items()}
    assert (states["6.jpg"], states["16.jpg"]) == ("queued", "tagged")
    assert not {*seen(far)} & {*PRIVATE}


def test_edits_reach_the_files_of_a_folder_whose_servers_are_away(
    tmp_path: Path, both: Config, near: OllamaDouble, far: OllamaDouble
) -> None:
    near.hang_up()
    photo = tmp_path / "private" / "6.jpg"
    with flowing(both, tmp_path / "private") as (shop, flow):
        bind(shop, tmp_path / "private")
        tick_until(flow, lambda: near_is_out(flow) and flow.held == 0)
        folders.set_write_mode(shop.db, 1, WriteMode.FILE)
        edits.tag(shop.db, [os.fsencode(photo)], add=["my own"])
        tick_until(flow, lambda: in_file(photo)["XMP-dc:Subject"] == ["my own"])
        tick_until(flow, lambda: flow.held == 0)
        assert known_images(both)["6.jpg"].state is ImageState.QUEUED
    assert far.count == 0
