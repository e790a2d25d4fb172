"""One photo is asked about with a server of choice, and none where it must not go."""

import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tagger.config import Config
from tagger.errors import UsageError
from tagger.pipeline.workshop import Workshop
from tagger.sections import BUILTIN
from tagger.tracking import answers, bindings, controls, folders, jobs, places
from tagger.tracking.database import Database
from tests.ollama_double import OllamaDouble
from tests.support_pipeline import known_images, numbered, reads_number
from tests.support_servers import flowing, pool, run, seen, tagged, tick_until


@pytest.fixture
def daily() -> Iterator[OllamaDouble]:
    with OllamaDouble(reads_number) as double:
        yield double


def looks_closer(jpeg: bytes, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"description": "A closer look.", "tags": ["close"], "text": ""}


@pytest.fixture
def special() -> Iterator[OllamaDouble]:
    """One that no photo goes to unless it is chosen."""
    with OllamaDouble(looks_closer, models=("big",)) as double:
        yield double


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for number in range(1, 4):
        numbered(tmp_path / "photos" / f"{number}.jpg", number)
    return tmp_path / "photos"


@pytest.fixture
def config(tmp_path: Path, daily: OllamaDouble, special: OllamaDouble) -> Config:
    return pool(
        tmp_path,
        {"name": "daily", "url": daily.url},
        {"name": "special", "url": special.url, "model": "big", "weight": 0},
    )


def id_of(shop: Workshop, photo: Path) -> int:
    return places.ids(shop.db, [os.fsencode(photo)])[0]


def test_a_photo_goes_to_the_chosen_server_this_once(
    config: Config, photos: Path, daily: OllamaDouble, special: OllamaDouble
) -> None:
    with flowing(config, photos) as (shop, flow):
        tick_until(flow, tagged(shop))
        one = id_of(shop, photos / "1.jpg")
        controls.want_now(shop.db, [one], ask_again=True, asked_with="special")
        tick_until(flow, tagged(shop))
        assert (daily.count, special.count) == (3, 1)
        newest, older = answers.of(shop.db, one)
        assert (newest.model, newest.server) == ("big", special.url)
        assert (newest.in_use, older.model) == (True, "gemma3:4b")
        controls.want_now(shop.db, [one], ask_again=True)
        tick_until(flow, tagged(shop))
        assert (daily.count, special.count) == (4, 1)
    assert known_images(config)["1.jpg"].model == "gemma3:4b"


def test_it_gets_there_while_every_other_server_is_out(
    config: Config, photos: Path, daily: OllamaDouble, special: OllamaDouble
) -> None:
    with flowing(config, photos) as (shop, flow):
        tick_until(flow, tagged(shop))
        daily.stop()
        two, three = (id_of(shop, photos / f"{n}.jpg") for n in (2, 3))
        controls.want_now(shop.db, [three], ask_again=True)
        tick_until(
            flow, lambda: any(r.name == "daily" and r.problem for r in flow.reports())
        )
        controls.want_now(shop.db, [two], ask_again=True, asked_with="special")
        tick_until(flow, lambda: special.count == 1)
        tick_until(flow, lambda: len(answers.of(shop.db, two)) == 2)


def test_one_that_is_out_is_waited_for_and_nobody_else_is_asked(
    config: Config, photos: Path, daily: OllamaDouble, special: OllamaDouble
) -> None:
    with flowing(config, photos) as (shop, flow):
        tick_until(flow, tagged(shop))
        special.stop()
        one = id_of(shop, photos / "1.jpg")
        controls.want_now(shop.db, [one], ask_again=True, asked_with="special")
        tick_until(
            flow, lambda: any(r.name == "special" and r.problem for r in flow.reports())
        )
        assert (daily.count, len(answers.of(shop.db, one))) == (3, 1)
        port = int(special.url.rsplit(":", 1)[1])
        with OllamaDouble(looks_closer, models=("big",), port=port) as back:
            tick_until(flow, tagged(shop))
            assert (daily.count, back.count) == (3, 1)
        assert len(answers.of(shop.db, one)) == 2


def test_a_photo_goes_nowhere_its_folder_is_not_bound_to(
    config: Config, photos: Path, daily: OllamaDouble, special: OllamaDouble
) -> None:
    with flowing(config, photos) as (shop, flow):
        tick_until(flow, tagged(shop))
        one = id_of(shop, photos / "1.jpg")
        folder = folders.every(shop.db)[0].id
        bindings.bind(shop.db, folder, ["daily"])
        with pytest.raises(UsageError, match="is bound to daily; its photos do not go"):
            controls.want_now(shop.db, [one], ask_again=True, asked_with="special")
        # Chosen first, and bound before it is asked about.
        bindings.bind(shop.db, folder, None)
        controls.want_now(shop.db, [one], ask_again=True, asked_with="special")
        bindings.bind(shop.db, folder, ["daily"])
        tick_until(flow, tagged(shop))
        assert (daily.count, special.count) == (4, 0)


def test_the_built_in_model_can_be_chosen(config: Config, photos: Path) -> None:
    choosing = config.model_copy(
        update={"model": config.model.model_copy(update={"backend": "auto"})}
    )
    with flowing(choosing, photos) as (shop, flow):
        tick_until(flow, tagged(shop))
        one = id_of(shop, photos / "1.jpg")
        controls.want_now(shop.db, [one], ask_again=True, asked_with=BUILTIN)
        tick_until(flow, tagged(shop))
        assert answers.of(shop.db, one)[0].backend == BUILTIN


def test_a_command_asks_the_servers_it_was_told_to(
    config: Config,
    photos: Path,
    daily: OllamaDouble,
    special: OllamaDouble,
    caplog: Any,
) -> None:
    run(config, photos)
    with Database.of(config) as db:
        folders.set_active(db, folders.every(db)[0].id, True)
        one = known_images(config)["1.jpg"].id
        controls.want_now(db, [one], ask_again=True, asked_with="special")
    with caplog.at_level(logging.WARNING):
        run(config, photos)
    assert (daily.count, special.count) == (4, 0)
    assert "there is no server special here" in caplog.text


def test_what_is_asked_as_usual_later_forgets_the_choice(
    config: Config, photos: Path
) -> None:
    run(config, photos)
    with Database.of(config) as db:
        folders.set_active(db, folders.every(db)[0].id, True)
        one = known_images(config)["1.jpg"].id
        controls.want_now(db, [one], ask_again=True, asked_with="special")
        controls.want_now(db, [one], ask_again=True)
        [job] = jobs.claim(db, limit=1)
    assert job.asked_with is None


def test_only_one_photo_is_sent_there(
    config: Config, photos: Path, special: OllamaDouble
) -> None:
    with flowing(config, photos) as (shop, flow):
        tick_until(flow, tagged(shop))
        one = id_of(shop, photos / "2.jpg")
        controls.want_now(shop.db, [one], ask_again=True, asked_with="special")
        tick_until(flow, tagged(shop))
    assert sorted(seen(special)) == [2]
