"""Steering a tagger at work: it hears of a pause, a wish and a limit while it asks."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tagger.config import Config
from tagger.pipeline.flow import Flow
from tagger.pipeline.gate import Gate
from tagger.pipeline.workshop import Workshop, opened
from tagger.records import ImageState, WriteMode
from tagger.tracking import controls, costs, folders, jobs, places, runs, status
from tagger.tracking.database import Database
from tagger.vision.choose import choose
from tests.ollama_double import OllamaDouble
from tests.support_pipeline import (
    as_environment,
    known_images,
    number_in,
    numbered,
    reads_number,
    settings,
)

ROOT = Path(__file__).resolve().parent.parent
PHOTOS = 12


@pytest.fixture
def ollama() -> Iterator[OllamaDouble]:
    with OllamaDouble(reads_number) as double:
        yield double


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for number in range(1, PHOTOS + 1):
        numbered(tmp_path / "photos" / f"{number:02d}.jpg", number)
    return tmp_path / "photos"


@contextmanager
def flowing(
    config: Config, folder: Path, *, clock: Callable[[], float] = time.time
) -> Iterator[tuple[Workshop, Flow]]:
    with opened(config) as shop:
        added = folders.add(
            shop.db,
            os.fsencode(folder),
            recursive=True,
            write_mode=WriteMode.NONE,
            data_dir=config.data_dir,
        )
        shop.scanner.scan(added)
        gate = Gate(shop.db, config.schedule, clock=clock)
        flow = shop.flow(
            choose(config).members,
            run_id=runs.begin(shop.db, "run"),
            patient=True,
            gate=gate,
        )
        try:
            yield shop, flow
        finally:
            flow.close()


def tick_until(flow: Flow, true: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        flow.tick()
        time.sleep(0.02)


def count(config: Config, state: ImageState) -> int:
    return [image.state for image in known_images(config).values()].count(state)


def id_of(shop: Workshop, photo: Path) -> int:
    [found] = places.ids(shop.db, [os.fsencode(photo)])
    return found


def test_a_pause_finishes_what_is_at_the_servers_and_takes_nothing_new(
    tmp_path: Path, photos: Path, ollama: OllamaDouble
) -> None:
    ollama.delay_s = 1.0
    config = settings(tmp_path, ollama.url)
    with flowing(config, photos) as (shop, flow):
        tick_until(flow, lambda: ollama.busy == 4)
        controls.pause(shop.db)
        tick_until(flow, lambda: flow.held == 0)
        assert flow.gate_says.by_person
        assert (ollama.count, ollama.busy) == (4, 0)
        assert count(config, ImageState.TAGGED) == 4
        assert count(config, ImageState.QUEUED) == PHOTOS - 4
        ollama.delay_s = 0.0
        controls.resume(shop.db)
        tick_until(flow, lambda: count(config, ImageState.TAGGED) == PHOTOS)
        assert ollama.count == PHOTOS


def test_a_photo_wanted_now_is_done_although_all_is_paused(
    tmp_path: Path, photos: Path, ollama: OllamaDouble
) -> None:
    config = settings(tmp_path, ollama.url)
    with flowing(config, photos) as (shop, flow):
        controls.pause(shop.db)
        controls.want_now(shop.db, [id_of(shop, photos / "07.jpg")])
        tick_until(flow, lambda: count(config, ImageState.TAGGED) == 1)
        for _ in range(30):
            flow.tick()
            time.sleep(0.02)
        assert known_images(config)["07.jpg"].state is ImageState.TAGGED
        assert ollama.count == 1


def test_a_photo_wanted_now_goes_before_those_that_are_taken_already(
    tmp_path: Path, photos: Path, ollama: OllamaDouble
) -> None:
    ollama.delay_s = 0.5
    config = settings(tmp_path, servers=[{"url": ollama.url, "parallel": 1}])
    config = config.model_copy(
        update={"model": config.model.model_copy(update={"backend": "ollama"})}
    )
    with flowing(config, photos) as (shop, flow):
        tick_until(flow, lambda: ollama.busy == 1 and flow.held > 3)
        controls.want_now(shop.db, [id_of(shop, photos / "12.jpg")])
        tick_until(flow, lambda: len(ollama.asked) >= 3)
        asked = [number_in(one.image) for one in ollama.asked]
        assert 12 in asked[:3]


def test_no_more_photos_are_asked_about_than_the_limit_allows(
    tmp_path: Path, photos: Path, ollama: OllamaDouble
) -> None:
    ollama.delay_s = 0.05
    config = settings(tmp_path, ollama.url, schedule={"photos_a_day": 5})
    with flowing(config, photos) as (shop, flow):
        tick_until(flow, lambda: count(config, ImageState.TAGGED) == 5)
        for _ in range(50):
            flow.tick()
            time.sleep(0.02)
        assert ollama.count == 5
        assert "schedule.photos_a_day is 5" in (flow.gate_says.why or "")
        controls.want_now(shop.db, [id_of(shop, photos / "12.jpg")])
        tick_until(flow, lambda: count(config, ImageState.TAGGED) == 6)


def test_when_the_hours_end_the_rest_goes_back(
    tmp_path: Path, photos: Path, ollama: OllamaDouble
) -> None:
    ollama.delay_s = 0.5
    hours = {"window": "10:00-11:00", "timezone": "UTC"}
    config = settings(tmp_path, ollama.url, schedule=hours)
    now = [10.5 * 3600]
    with flowing(config, photos, clock=lambda: now[0]) as (shop, flow):
        tick_until(flow, lambda: ollama.busy == 4)
        now[0] += 3600
        tick_until(flow, lambda: flow.held == 0)
        assert ollama.count == 4
        assert jobs.are_waiting(shop.db)
        now[0] += 23 * 3600
        ollama.delay_s = 0.0
        tick_until(flow, lambda: count(config, ImageState.TAGGED) == PHOTOS)


def test_what_each_photo_and_each_server_cost_is_known(
    tmp_path: Path, photos: Path, ollama: OllamaDouble
) -> None:
    ollama.delay_s = 0.2
    config = settings(tmp_path, servers=[{"url": ollama.url, "parallel": 2}])
    config = config.model_copy(
        update={"model": config.model.model_copy(update={"backend": "ollama"})}
    )
    with flowing(config, photos) as (shop, flow):
        tick_until(flow, lambda: count(config, ImageState.TAGGED) == PHOTOS)
        runs.report(
            shop.db,
            runs.begin(shop.db, "run"),
            state="working",
            message=None,
            backend="x",
            servers=flow.reports(),
        )
        cost = costs.of(shop.db, id_of(shop, photos / "05.jpg"))
        assert cost is not None
        assert (cost.server, cost.tokens_in, cost.tokens_out) == (ollama.url, 300, 40)
        assert 0.2 <= cost.asking_s < 5
        assert cost.looking_s > 0
        assert cost.writing_s > 0
        found = status.read(shop.db)
        [server] = found.servers
        assert (server.places, server.answered) == (2, PHOTOS)
        assert (server.tokens_in, server.tokens_out) == (300 * PHOTOS, 40 * PHOTOS)
        assert server.median_s is not None
        assert server.median_s >= 0.2
        assert server.median_wait_s is not None
        # Two places, 0.2 s an answer: at most 600 a minute, and not far from it.
        assert 100 < (server.photos_a_minute or 0) <= 660
        [spent] = costs.spent(shop.db, since_s=0)
        assert (spent.photos, spent.tokens_in) == (PHOTOS, 300 * PHOTOS)
        assert spent.asking_s >= 0.2 * PHOTOS


def test_words_written_later_keep_what_the_answer_cost(
    tmp_path: Path, photos: Path, ollama: OllamaDouble
) -> None:
    config = settings(tmp_path, ollama.url)
    with flowing(config, photos) as (shop, flow):
        tick_until(flow, lambda: count(config, ImageState.TAGGED) == PHOTOS)
        before = costs.of(shop.db, id_of(shop, photos / "05.jpg"))
        folders.set_write_mode(shop.db, 1, WriteMode.SIDECAR)
        tick_until(flow, lambda: (photos / "05.jpg.xmp").exists())
        tick_until(flow, lambda: count(config, ImageState.TAGGED) == PHOTOS)
        after = costs.of(shop.db, id_of(shop, photos / "05.jpg"))
        assert before is not None
        assert after is not None
        assert after.asking_s == before.asking_s
        assert after.tokens_in == 300
        assert after.writing_s != before.writing_s


def test_the_time_left_says_on_what_it_is_reckoned(
    tmp_path: Path, photos: Path, ollama: OllamaDouble
) -> None:
    ollama.delay_s = 0.3
    config = settings(tmp_path, ollama.url)
    with flowing(config, photos) as (shop, flow):
        assert status.read(shop.db).eta_s is None
        tick_until(flow, lambda: 5 <= count(config, ImageState.TAGGED) < PHOTOS)
        found = status.read(shop.db)
        assert found.eta_s
        left = found.queued + found.working
        assert (found.eta_basis or "").endswith(
            f" a minute over the last minute; {left} left"
        )


@pytest.fixture
def process(tmp_path: Path, ollama: OllamaDouble) -> Iterator[subprocess.Popen[bytes]]:
    running = subprocess.Popen(
        [sys.executable, "-m", "tagger", "run"],
        cwd=ROOT,
        env=as_environment(settings(tmp_path, ollama.url)),
    )
    yield running
    running.terminate()
    running.wait(20)


def said(config: Config, *arguments: str) -> dict[str, object]:
    answer = subprocess.run(
        [sys.executable, "-m", "tagger", *arguments, "--json"],
        cwd=ROOT,
        env=as_environment(config),
        capture_output=True,
        text=True,
        timeout=55,
    )
    assert answer.returncode == 0, answer.stderr
    found: dict[str, object] = json.loads(answer.stdout)
    return found


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 40
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


@pytest.mark.usefixtures("process")
def test_a_paused_tagger_says_so_and_tag_is_not_held_up(
    tmp_path: Path, photos: Path, ollama: OllamaDouble
) -> None:
    config = settings(tmp_path, ollama.url)
    assert said(config, "queue", "pause")["paused_at"]
    with Database.of(config) as db:
        folders.add(
            db,
            os.fsencode(photos),
            recursive=True,
            write_mode=WriteMode.NONE,
            data_dir=config.data_dir,
        )
        until(lambda: status.read(db).queued == PHOTOS)
        until(lambda: status.read(db).state == "paused")
        assert "paused by you at" in (status.read(db).message or "")
        tagged = said(config, "tag", str(photos / "03.jpg"))
        assert [photo["state"] for photo in tagged["photos"]] == ["tagged"]  # type: ignore[attr-defined]
        said(config, "queue", "now", str(photos / "04.jpg"))
        until(lambda: count(config, ImageState.TAGGED) == 2)
        assert ollama.count == 2
        listed = said(config, "queue", "list")
        assert listed["status"]["queued"] == PHOTOS - 2  # type: ignore[index]
        said(config, "queue", "resume")
        until(lambda: count(config, ImageState.TAGGED) == PHOTOS)
        assert ollama.count == PHOTOS
