"""A pool of servers: photos go where they are answered, and no server holds them up."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tagger.records import ImageState
from tagger.tracking import snapshots
from tests.ollama_double import Fault, OllamaDouble
from tests.support_pipeline import known_images, number_in, numbered, reads_number
from tests.support_servers import (
    Dying,
    add_folder,
    flowing,
    pool,
    report,
    run,
    seen,
    tagged,
    tick_until,
)

COUNT = 12


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for number in range(1, COUNT + 1):
        numbered(tmp_path / "photos" / f"{number}.jpg", number)
    return tmp_path / "photos"


@pytest.fixture
def doubles() -> Iterator[Callable[..., OllamaDouble]]:
    with ExitStack() as stack:

        def start(answer: Any = reads_number, **options: Any) -> OllamaDouble:
            return stack.enter_context(OllamaDouble(answer, **options))

        yield start


# What a server that fails means for the photos.


def test_a_photo_in_flight_at_a_server_that_dies_is_answered_by_another_one(
    tmp_path: Path, photos: Path, doubles: Callable[..., OllamaDouble]
) -> None:
    dying, well = doubles(delay_s=60), doubles()
    config = pool(
        tmp_path,
        {"name": "dying", "url": dying.url, "parallel": 2},
        {"name": "well", "url": well.url},
    )
    with flowing(config, photos) as (shop, flow):
        tick_until(flow, lambda: dying.busy == 2)
        dying.hang_up()
        tick_until(flow, tagged(shop), timeout_s=15)
        assert report(flow, "dying").problem is not None
        assert sorted(seen(well)) == list(range(1, COUNT + 1))


def test_a_server_that_refuses_at_the_start_is_taken_in_once_it_answers(
    tmp_path: Path, photos: Path, doubles: Callable[..., OllamaDouble]
) -> None:
    late, well = doubles(models=[]), doubles(delay_s=0.2)
    config = pool(
        tmp_path,
        {"name": "late", "url": late.url, "parallel": 3},
        {"name": "well", "url": well.url},
    )
    with flowing(config, photos) as (shop, flow):
        tick_until(flow, lambda: well.count > 1)
        assert "`ollama pull gemma3:4b`" in str(report(flow, "late").problem)
        late.models.append("gemma3:4b")
        tick_until(flow, tagged(shop))
        assert late.asked
        assert report(flow, "late").usable


def test_a_server_that_lost_its_model_is_told_apart_and_blames_no_photo(
    tmp_path: Path, photos: Path, doubles: Callable[..., OllamaDouble]
) -> None:
    forgetful, well = doubles(delay_s=0.1), doubles(delay_s=0.1)
    config = pool(
        tmp_path,
        {"name": "forgetful", "url": forgetful.url},
        {"name": "well", "url": well.url},
    )
    with flowing(config, photos) as (shop, flow):
        tick_until(flow, lambda: len(forgetful.asked) > 1)
        forgetful.models.clear()
        tick_until(flow, tagged(shop))
        assert "`ollama pull gemma3:4b`" in str(report(flow, "forgetful").problem)


@pytest.mark.parametrize("how", ["hang", "trickle", "cut", "flood", "garbage"])
def test_a_server_that_misbehaves_costs_no_photo(
    tmp_path: Path, photos: Path, doubles: Callable[..., OllamaDouble], how: str
) -> None:
    mad = doubles(script=[Fault(how=how)] * 500)
    well = doubles(delay_s=0.05)
    config = pool(
        tmp_path,
        {"name": "mad", "url": mad.url, "parallel": 2, "timeout_s": 1},
        {"name": "well", "url": well.url},
    )
    outcome = run(config, photos)
    assert outcome.failed == []
    assert {i.state for i in outcome.images} == {ImageState.TAGGED}
    assert sorted(seen(well)) == list(range(1, COUNT + 1))


def test_a_photo_that_crashes_every_model_is_failed_and_takes_no_server_out(
    tmp_path: Path, photos: Path, doubles: Callable[..., OllamaDouble]
) -> None:
    """A crash ends what else the model is asked at that moment, as with Ollama."""
    servers = [
        doubles(crashes_on=lambda jpeg: number_in(jpeg) == 7, delay_s=0.1)
        for _ in range(2)
    ]
    config = pool(
        tmp_path,
        *(
            {"name": f"s{n}", "url": s.url, "parallel": 4}
            for n, s in enumerate(servers)
        ),
    )
    for number in range(20, 36):
        numbered(tmp_path / "before" / f"{number}.jpg", number)
    with flowing(config, tmp_path / "before") as (shop, flow):
        # A server that has never answered is believed less.
        tick_until(flow, tagged(shop))
        assert all(server.asked for server in servers)
        add_folder(shop, photos)
        done = (ImageState.TAGGED, ImageState.FAILED)

        def all_done() -> bool:
            assert all(one.usable for one in flow.reports())
            return all(i.state in done for i in snapshots.after(shop.db, 0, limit=99))

        tick_until(flow, all_done)
        assert sum(server.crashes for server in servers) == 3
    failed = [n for n, i in known_images(config).items() if i.state != "tagged"]
    assert failed == ["7.jpg"]
    assert "failed (HTTP 500" in str(known_images(config)["7.jpg"].reason)


def test_a_photo_that_ends_the_server_itself_is_failed_and_all_others_are_tagged(
    tmp_path: Path, photos: Path
) -> None:
    """The whole process goes, with all it is asked, and is started again each time."""
    with Dying(at=7) as server:
        config = pool(
            tmp_path,
            {"name": "dying", "url": server.url, "parallel": 4},
            retry={"wait_base_s": 0.1, "wait_max_s": 0.3},
        )
        with flowing(config, photos) as (shop, flow):
            done = (ImageState.TAGGED, ImageState.FAILED)

            def all_done() -> bool:
                found = snapshots.after(shop.db, 0, limit=99)
                return all(image.state in done for image in found)

            tick_until(flow, all_done, timeout_s=60)
        # One may look as if the server had been away before it was asked.
        assert 3 <= server.deaths <= 5
    failed = [n for n, i in known_images(config).items() if i.state != "tagged"]
    assert failed == ["7.jpg"]
    reason = str(known_images(config)["7.jpg"].reason)
    assert "went away each time it was asked about it" in reason


@pytest.mark.slow
def test_a_server_that_dies_at_every_photo_fails_none(
    tmp_path: Path, photos: Path
) -> None:
    """It has to describe a plain picture before it is believed again."""
    with Dying(at=None) as server:
        config = pool(
            tmp_path,
            {"name": "dying", "url": server.url, "parallel": 2},
            retry={"wait_base_s": 0.1, "wait_max_s": 0.2},
        )
        with flowing(config, photos) as (shop, flow):
            tick_until(flow, lambda: server.deaths > 6, timeout_s=60)
            found = snapshots.after(shop.db, 0, limit=99)
            states = {image.state for image in found}
            assert states <= {ImageState.NEW, ImageState.QUEUED}


def test_a_server_that_is_there_and_never_answers_fails_no_photo(
    tmp_path: Path, photos: Path, doubles: Callable[..., OllamaDouble]
) -> None:
    """Its check is passed each time, so it is asked again and again."""
    ill = doubles()
    config = pool(tmp_path, {"name": "ill", "url": ill.url, "parallel": 2})
    with flowing(config, photos) as (shop, flow):
        ill.script += [Fault(500)] * 1000
        tick_until(flow, lambda: ill.faults > 20)
        assert "HTTP 500" in str(report(flow, "ill").problem)
        found = snapshots.after(shop.db, 0, limit=99)
        assert {i.state for i in found} == {ImageState.QUEUED}
        ill.script.clear()
        tick_until(flow, tagged(shop))


def test_one_error_is_no_reason_to_leave_a_server_out(
    tmp_path: Path, photos: Path, doubles: Callable[..., OllamaDouble]
) -> None:
    server = doubles(delay_s=0.05)
    config = pool(tmp_path, {"name": "s", "url": server.url, "parallel": 2})
    with flowing(config, photos) as (shop, flow):
        tick_until(flow, lambda: len(server.asked) > 3)
        server.script += [Fault(500)]
        tick_until(flow, tagged(shop))
        assert report(flow, "s").usable


def test_a_lone_server_that_is_overloaded_gets_all_photos_in_the_end(
    tmp_path: Path, photos: Path, doubles: Callable[..., OllamaDouble]
) -> None:
    small = doubles(slots=2, delay_s=0.1)
    config = pool(tmp_path, {"url": small.url, "parallel": 8})
    outcome = run(config, photos)
    assert outcome.failed == []
    assert {i.state for i in outcome.images} == {ImageState.TAGGED}
    assert 0 < small.refused <= 8


def test_when_no_server_is_left_the_run_waits_says_so_and_blames_nobody(
    tmp_path: Path, photos: Path, doubles: Callable[..., OllamaDouble]
) -> None:
    servers = [doubles(), doubles()]
    config = pool(tmp_path, *({"url": server.url} for server in servers))
    with flowing(config, photos) as (shop, flow):
        for server in servers:
            server.script += [Fault(close=True)] * 1000
            server.models.clear()
        tick_until(flow, lambda: flow.problem is not None and flow.held == 0)
        assert "ollama pull" in str(flow.problem)
        assert flow.waits()
        found = snapshots.after(shop.db, 0, limit=99)
        assert {i.state for i in found} <= {ImageState.QUEUED, ImageState.TAGGED}
        for server in servers:
            server.script.clear()
            server.models.append("gemma3:4b")
        tick_until(flow, tagged(shop))
        assert flow.waits() == []


# Who gets which photo.


def test_a_slow_server_holds_up_no_fast_one(
    tmp_path: Path, photos: Path, doubles: Callable[..., OllamaDouble]
) -> None:
    slow, fast = doubles(delay_s=4), doubles(delay_s=0.02)
    config = pool(tmp_path, {"url": slow.url}, {"url": fast.url})
    run(config, photos)
    assert len(slow.asked) <= 2
    assert len(fast.asked) >= COUNT - 2


def test_of_free_servers_the_heaviest_is_asked(
    tmp_path: Path, photos: Path, doubles: Callable[..., OllamaDouble]
) -> None:
    light, heavy = doubles(), doubles()
    config = pool(
        tmp_path,
        {"url": light.url, "weight": 1, "parallel": 4},
        {"url": heavy.url, "weight": 2, "parallel": 4},
    )
    with flowing(config, photos) as (shop, flow):
        time.sleep(0.5)  # all places wait for work
        tick_until(flow, tagged(shop))
    assert len(heavy.asked) > len(light.asked)
    for number in range(20, 24):  # one at a time: the light one is never needed
        asked = len(light.asked)
        with flowing(
            config, numbered(tmp_path / f"{number}" / "a.jpg", number).parent
        ) as (
            shop,
            flow,
        ):
            time.sleep(0.3)
            tick_until(flow, tagged(shop))
        assert len(light.asked) == asked


@pytest.mark.slow
def test_the_number_of_photos_at_a_time_is_found_by_trying(
    tmp_path: Path, doubles: Callable[..., OllamaDouble]
) -> None:
    for number in range(1, 61):
        numbered(tmp_path / "photos" / f"{number}.jpg", number, width_px=240)
    server = doubles(delay_s=0.4)
    config = pool(tmp_path, {"url": server.url, "parallel": "auto"})
    outcome = run(config, tmp_path / "photos")
    assert outcome.failed == []
    assert server.most_busy >= 4
    assert server.refused == 0


def test_two_models_on_one_machine_are_two_servers(
    tmp_path: Path, photos: Path, doubles: Callable[..., OllamaDouble]
) -> None:
    server = doubles(models=["gemma3:4b", "llava:7b"], delay_s=0.1)
    config = pool(
        tmp_path,
        {"name": "gemma", "url": server.url},
        {"name": "llava", "url": server.url, "model": "llava:7b"},
    )
    run(config, photos)
    models = {str(asked.body["model"]) for asked in server.asked}
    assert models == {"gemma3:4b", "llava:7b"}
