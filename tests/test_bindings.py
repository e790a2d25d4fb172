"""Folders bound to servers: what is in them is sent nowhere else, come what may."""

import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tagger import config as settings_of
from tagger import doctor
from tagger.cli.arguments import parser
from tagger.config import Config
from tagger.errors import UsageError
from tagger.pipeline.tagging import tag
from tagger.records import ImageState, WriteMode
from tagger.sections import BUILTIN
from tagger.tracking import bindings, folders, jobs, upgrades
from tagger.tracking.database import Database
from tagger.vision.choose import choose
from tests.ollama_double import Fault, OllamaDouble
from tests.support_pipeline import (
    known_images,
    numbered,
    reads_number,
)
from tests.support_servers import flowing, pool, run, seen, tagged, tick_until

PRIVATE = range(1, 7)
PUBLIC = range(11, 17)


@pytest.fixture
def doubles() -> Iterator[Callable[..., OllamaDouble]]:
    with ExitStack() as stack:

        def start(answer: Any = reads_number, **options: Any) -> OllamaDouble:
            return stack.enter_context(OllamaDouble(answer, **options))

        yield start


@pytest.fixture
def near(doubles: Callable[..., OllamaDouble]) -> OllamaDouble:
    return doubles()


@pytest.fixture
def far(doubles: Callable[..., OllamaDouble]) -> OllamaDouble:
    return doubles()


@pytest.fixture
def both(tmp_path: Path, near: OllamaDouble, far: OllamaDouble) -> Config:
    """Settings with two servers, `near` and `far`."""
    return pool(
        tmp_path,
        {"name": "near", "url": near.url, "weight": 0},
        {"name": "far", "url": far.url, "parallel": 2},
    )


@pytest.fixture
def private(tmp_path: Path) -> Path:
    for number in PRIVATE:
        numbered(tmp_path / "private" / f"{number}.jpg", number)
    return tmp_path / "private"


@pytest.fixture
def public(tmp_path: Path) -> Path:
    for number in PUBLIC:
        numbered(tmp_path / "public" / f"{number}.jpg", number)
    return tmp_path / "public"


def bind(config: Config, path: Path, *names: str) -> None:
    with Database.of(config) as db:
        known = folders.find(db, os.fsencode(path))
        if known is not None:
            bindings.bind(db, known.id, names or None)
            return
        folders.add(
            db,
            os.fsencode(path),
            recursive=True,
            write_mode=WriteMode.NONE,
            servers=names,
            data_dir=config.data_dir,
        )


def test_photos_of_a_bound_folder_are_sent_to_its_servers_only(
    near: OllamaDouble, far: OllamaDouble, both: Config, private: Path, public: Path
) -> None:
    bind(both, private, "near")
    with flowing(both, private, public) as (shop, flow):
        tick_until(flow, tagged(shop))
    assert sorted(seen(near)) == list(PRIVATE)
    assert sorted(seen(far)) == list(PUBLIC)
    assert near.count + far.count == len(PRIVATE) + len(PUBLIC)


def test_the_command_line_keeps_to_it_as_well(
    near: OllamaDouble, far: OllamaDouble, both: Config, private: Path
) -> None:
    bind(both, private, "near")
    assert run(both, private).failed == []
    assert sorted(seen(near)) == list(PRIVATE)
    assert far.count == 0


def test_a_server_named_on_the_command_line_does_not_get_them_either(
    near: OllamaDouble, far: OllamaDouble, both: Config, private: Path, public: Path
) -> None:
    bind(both, private, "near")
    choice = choose(both, urls=[far.url])
    outcome = tag(both, [os.fsencode(private), os.fsencode(public)], choice)
    assert sorted(seen(far)) == list(PUBLIC)
    assert near.count == 0
    assert "private is bound to near" in str(outcome.gave_up)
    states = [image.state for image in outcome.images]
    assert states.count(ImageState.QUEUED) == len(PRIVATE)


def test_a_bound_folder_waits_for_its_server_and_others_go_on(
    near: OllamaDouble, far: OllamaDouble, both: Config, private: Path, public: Path
) -> None:
    near.models.clear()
    bind(both, private, "near")
    with flowing(both, private, public) as (shop, flow):
        tick_until(flow, tagged(shop, public))
        tick_until(flow, lambda: flow.held == 0)
        [sentence] = flow.waits()
        assert sentence.startswith(f"{private} is bound to near: ")
        assert "ollama pull" in sentence
        assert flow.problem is None
        near.models.append("gemma3:4b")
        tick_until(flow, tagged(shop))
    assert sorted(seen(far)) == list(PUBLIC)
    assert sorted(seen(near)) == list(PRIVATE)


def test_many_photos_of_a_slow_server_do_not_hold_up_those_of_a_fast_one(
    tmp_path: Path, doubles: Callable[..., OllamaDouble], public: Path
) -> None:
    slow, fast = doubles(delay_s=30), doubles()
    for number in range(100, 140):
        numbered(tmp_path / "first" / f"{number}.jpg", number, width_px=240)
    config = pool(
        tmp_path, {"name": "slow", "url": slow.url, "weight": 0}, {"url": fast.url}
    )
    bind(config, tmp_path / "first", "slow")
    with flowing(config, tmp_path / "first", public) as (shop, flow):
        tick_until(flow, tagged(shop, public), timeout_s=20)
        assert flow.held < 20


def test_the_built_in_model_can_be_all_that_a_folder_may_have(
    far: OllamaDouble, near: OllamaDouble, both: Config, private: Path, public: Path
) -> None:
    bind(both, private, BUILTIN)
    with flowing(both, private, public) as (shop, flow):
        tick_until(flow, tagged(shop))
    assert sorted(seen(far)) == list(PUBLIC)
    assert near.count == 0
    assert {known_images(both)[f"{n}.jpg"].model for n in PRIVATE} == {BUILTIN}


def test_the_built_in_model_is_no_stand_in_for_a_bound_folder(
    tmp_path: Path, near: OllamaDouble, private: Path, public: Path
) -> None:
    near.models.clear()
    config = pool(tmp_path, {"name": "near", "url": near.url}, backend="auto")
    bind(config, private, "near")
    with flowing(config, private, public) as (shop, flow):
        tick_until(flow, tagged(shop, public))
        assert known_images(config)[f"{PRIVATE[0]}.jpg"].state is ImageState.QUEUED
        near.models.append("gemma3:4b")
        tick_until(flow, tagged(shop))
    assert known_images(config)[f"{PUBLIC[0]}.jpg"].model == BUILTIN
    assert known_images(config)[f"{PRIVATE[0]}.jpg"].model == "gemma3:4b"


# Copies of one picture, in a bound folder and in one that is not.


def copies(source: Path, target: Path) -> None:
    target.mkdir(exist_ok=True)
    for photo in source.iterdir():
        shutil.copyfile(photo, target / f"copy of {photo.name}")


def test_a_copy_elsewhere_is_sent_for_its_own_sake_and_once(
    tmp_path: Path, near: OllamaDouble, far: OllamaDouble, both: Config, private: Path
) -> None:
    copies(private, tmp_path / "public")
    bind(both, private, "near")
    with flowing(both, private, tmp_path / "public") as (shop, flow):
        tick_until(flow, tagged(shop))
    assert sorted(seen(near) + seen(far)) == list(PRIVATE)


def test_a_bound_photo_whose_copy_failed_elsewhere_is_not_sent_there(
    tmp_path: Path, near: OllamaDouble, far: OllamaDouble, both: Config, private: Path
) -> None:
    """The copy asks first, the bound one follows it, and leads once that has failed."""
    copies(private, tmp_path / "public")
    far.script += [Fault(400)] * 99
    with Database.of(both) as db:
        folders.add(
            db,
            os.fsencode(tmp_path / "public"),
            recursive=True,
            write_mode=WriteMode.NONE,
            data_dir=both.data_dir,
        )
    bind(both, private, "near")
    with flowing(both, tmp_path / "public", private) as (shop, flow):
        tick_until(flow, tagged(shop, private))
        tick_until(flow, lambda: flow.held == 0)
    assert far.count <= len(PRIVATE)
    assert not far.asked
    assert sorted(seen(near)) == list(PRIVATE)


def test_a_copy_does_not_wait_for_the_server_of_a_bound_one(
    tmp_path: Path, near: OllamaDouble, far: OllamaDouble, both: Config, private: Path
) -> None:
    near.models.clear()
    copies(private, tmp_path / "public")
    bind(both, private, "near")
    with flowing(both, private, tmp_path / "public") as (shop, flow):
        tick_until(flow, tagged(shop, tmp_path / "public"))
    assert sorted(seen(far)) == list(PRIVATE)
    assert near.count == 0


def test_a_bound_photo_without_copies_stays_with_its_servers_when_they_fail(
    near: OllamaDouble, far: OllamaDouble, both: Config, private: Path
) -> None:
    near.script += [Fault(500), Fault(close=True), Fault(503), Fault(how="garbage")]
    bind(both, private, "near")
    with flowing(both, private) as (shop, flow):
        tick_until(flow, tagged(shop))
    assert far.count == 0


# When the binding comes late, or lies around.


def test_from_the_moment_a_folder_is_bound_no_photo_of_it_goes_elsewhere(
    near: OllamaDouble, far: OllamaDouble, both: Config, private: Path
) -> None:
    far.delay_s = 0.3
    with flowing(both, private) as (shop, flow):
        tick_until(flow, lambda: far.busy == 2)
        bind(both, private, "near")
        sent = len(far.asked) + far.busy
        time.sleep(1.5)  # without a tick that would read the new rule
        assert len(far.asked) <= sent < len(PRIVATE)
        tick_until(flow, tagged(shop))
    assert len(far.asked) <= sent
    assert sorted(seen(near) + seen(far)) == list(PRIVATE)


def test_a_folder_inside_a_bound_one_is_bound_too_unless_it_says_otherwise(
    near: OllamaDouble, far: OllamaDouble, both: Config, private: Path
) -> None:
    numbered(private / "inside" / "8.jpg", 8)
    numbered(private / "shown" / "9.jpg", 9)
    bind(both, private, "near")
    bind(both, private / "shown", "far")
    with flowing(both, private, private / "inside", private / "shown") as (shop, flow):
        tick_until(flow, tagged(shop))
    assert seen(far) == [9]
    assert sorted(seen(near)) == [*PRIVATE, 8]


def test_a_bound_folder_added_inside_another_holds_before_it_is_scanned(
    near: OllamaDouble, far: OllamaDouble, both: Config, public: Path
) -> None:
    far.delay_s = 0.2
    for number in PRIVATE:
        numbered(public / "inside" / f"{number}.jpg", number)
    with flowing(both, public) as (shop, flow):
        bind(both, public / "inside", "near")
        tick_until(flow, tagged(shop))
    assert sorted(seen(far)) == list(PUBLIC)
    assert sorted(seen(near)) == list(PRIVATE)


def test_a_folder_that_is_taken_out_and_comes_back_is_bound_as_it_was(
    both: Config, private: Path
) -> None:
    bind(both, private, "near")
    with Database.of(both) as db:
        known = folders.find(db, os.fsencode(private))
        assert known is not None
        folders.remove(db, known.id)
        again = folders.add(
            db,
            os.fsencode(private),
            recursive=True,
            write_mode=WriteMode.NONE,
            data_dir=both.data_dir,
        )
    assert again.servers == ("near",)


def test_another_answer_is_not_wanted_where_only_the_built_in_model_may_look(
    near: OllamaDouble, far: OllamaDouble, both: Config, private: Path, public: Path
) -> None:
    builtin = both.model_copy(
        update={"model": both.model.model_copy(update={"backend": BUILTIN})}
    )
    bind(builtin, private, BUILTIN)
    with flowing(builtin, private, public) as (shop, flow):
        tick_until(flow, tagged(shop))
        assert upgrades.ask_again(shop.db, BUILTIN) == len(PUBLIC)
        asked = {job.path for job in jobs.claim(shop.db, limit=99)}
    assert all(path.startswith(os.fsencode(public)) for path in asked)
    assert near.count + far.count == 0


# Names.


def test_a_server_that_is_gone_from_the_settings_is_named_at_the_start(
    tmp_path: Path,
    far: OllamaDouble,
    both: Config,
    private: Path,
    public: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    bind(both, private, "near")
    without = pool(tmp_path, {"name": "far", "url": far.url})
    with (
        caplog.at_level(logging.WARNING),
        flowing(without, private, public) as (
            shop,
            flow,
        ),
    ):
        assert f"{private} is bound to near, which is no server" in caplog.text
        tick_until(flow, tagged(shop, public))
        assert "there is no server called near" in flow.waits()[0]
        found = [f for f in doctor.bound(without, shop.db)]
    assert [f.ok for f in found] == [False]
    assert sorted(seen(far)) == list(PUBLIC)


def test_an_address_from_the_environment_takes_no_name_of_another_one(
    tmp_path: Path,
) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[[servers]]\nname = "near"\nurl = "http://near:1/"\n')
    environ = {"TAGGER_CONFIG": str(path)}
    far = settings_of.load(environ | {"OLLAMA_SERVER": "http://far:1"})
    same = settings_of.load(environ | {"OLLAMA_SERVER": "http://near:1, http://far:1"})
    assert [server.called for server in far.servers] == ["http://far:1"]
    assert [server.called for server in same.servers] == ["near", "http://far:1"]


def test_nor_does_one_from_the_command_line(far: OllamaDouble, both: Config) -> None:
    choice = choose(both, urls=[f"{far.url}/", "http://127.0.0.1:9"])
    choice.close()
    assert [m.backend.name for m in choice.members] == ["far", "http://127.0.0.1:9"]


def command(config: Config, *words: str) -> int:
    options = parser().parse_args(words)
    return int(options.run(options, config))


def test_folders_are_bound_and_set_free_on_the_command_line(
    both: Config, private: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command(both, "folders", "add", str(private), "--servers", "NEAR,builtin")
    command(both, "folders", "list")
    assert "near, builtin" in capsys.readouterr().out
    command(both, "folders", "set", str(private), "--servers", "far")
    with Database.of(both) as db:
        assert bindings.read(db).of(os.fsencode(private / "1.jpg")) == {"far"}
        command(both, "folders", "set", str(private), "--servers", "any")
        assert bindings.read(db).of(os.fsencode(private / "1.jpg")) is None
    with pytest.raises(UsageError, match="no server called x; there are near, far"):
        command(both, "folders", "set", str(private), "--servers", "x")
    with pytest.raises(UsageError, match="at least one server"):
        command(both, "folders", "set", str(private), "--servers", ",")
