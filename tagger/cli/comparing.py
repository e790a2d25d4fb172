"""The `compare` command: several models or prompts asked about the same few photos.

While an app runs it keeps the comparison and its tagger asks; else both is done here.
"""

import time
from argparse import Namespace
from collections.abc import Callable
from typing import Any

from tagger.cli import output
from tagger.cli.catalogue import opened
from tagger.config import Config
from tagger.errors import UsageError
from tagger.pipeline.comparing import carry_out
from tagger.tracking.comparisons import FEW_PHOTOS
from tagger.tracking.contested import State
from tagger.web import comparing
from tagger.web.api.comparison_models import ContenderIn
from tagger.web.api.comparisons import whole_of
from tagger.web.client import App

COLUMNS = (
    *("contender", "answered", "invalid", "failed", "tags", "seconds", "tokens in"),
    *("tokens out", "like now", "wins"),
)
LOOK_EVERY_S = 1.0
SOME_FAILED = 3

Whole = dict[str, Any]
Progress = Callable[[int, int], None]


def compare(options: Namespace, config: Config) -> int:
    """Make a comparison and wait for it, or show one; 3 if some answers are missing."""
    asked = [_contender(text) for text in options.contenders]
    if (options.show is None) == (not asked):
        raise UsageError("name two or more with --with, or a comparison with --show")
    found = _found(options, config, asked)
    if options.json:
        output.data(found)
    else:
        output.table(COLUMNS, _rows(found))
        for line in _agreement(found):
            output.problem(line)
    return SOME_FAILED if found["failed"] else 0


def _contender(text: str) -> dict[str, Any]:
    """`SERVER=MODEL`, or a server alone, asked with the settings' model."""
    server, _, model = text.partition("=")
    return {"server": server.strip(), "model": model.strip()}


def _found(options: Namespace, config: Config, asked: list[dict[str, Any]]) -> Whole:
    app = App.find(config.data_dir)
    if app is not None:
        with app:
            return _by_app(app, options, asked)
    with opened(config) as runtime:
        made = options.show
        if made is None:
            wishes = [
                comparing.wish(config, **ContenderIn(**one).model_dump())
                for one in asked
            ]
            made = comparing.make(
                runtime,
                wishes,
                query=" ".join(options.query),
                ids=options.image,
                count=options.count,
            )
            with output.progress("comparing") as progress:
                carry_out(config, runtime.db, made, progress=progress)
        return whole_of(runtime, made).model_dump(mode="json")


def _by_app(app: App, options: Namespace, asked: list[dict[str, Any]]) -> Whole:
    if options.show is not None:
        return app.comparison(options.show)
    made = app.compare(
        contenders=asked,
        query=" ".join(options.query),
        image_ids=options.image,
        count=options.count,
    )
    with output.progress("comparing") as progress:
        while True:
            found = app.comparison(made["id"])
            progress(found["answered"] + found["failed"], found["questions"])
            if found["state"] != State.WAITING:
                return found
            time.sleep(LOOK_EVERY_S)


def _rows(found: Whole) -> list[tuple[object, ...]]:
    scores = {one["contender"]: one for one in found["result"]["scores"]}
    return [
        (
            _named(one),
            scores[one["id"]]["answered"],
            scores[one["id"]]["invalid"],
            scores[one["id"]]["failed"] + scores[one["id"]]["withheld"],
            _number(scores[one["id"]]["tags_a_photo"]),
            _number(scores[one["id"]]["median_s"]),
            scores[one["id"]]["tokens_in"],
            scores[one["id"]]["tokens_out"],
            _share(scores[one["id"]]["agreement"]),
            scores[one["id"]]["wins"],
        )
        for one in found["contenders"]
    ]


def _agreement(found: Whole) -> list[str]:
    names = {one["id"]: _named(one) for one in found["contenders"]}
    lines = [f"comparison {found['id']}: {found['name']}"]
    for pair in found["result"]["pairs"]:
        one, other = pair["contenders"]
        lines.append(
            f"{names[one]} and {names[other]} share {_share(pair['agreement'])} of "
            f"their tags, on {output.count(pair['photos'], 'photo')}"
        )
    few = len(found["image_ids"])
    if few < FEW_PHOTOS:
        lines.append(
            f"{output.count(few, 'photo')} say little about a model; "
            f"{FEW_PHOTOS} or more say more"
        )
    return lines


def _named(one: dict[str, Any]) -> str:
    if one["model"] == one["server"]:
        return str(one["model"])
    return f"{one['model']} on {one['server']}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.0%}"
