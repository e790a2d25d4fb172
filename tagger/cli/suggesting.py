"""The `tags suggest` command: pairs of tags that are probably one."""

from argparse import Namespace
from typing import Any

from tagger.catalogue.tagpairs import Kind
from tagger.cli import output
from tagger.cli.catalogue import opened
from tagger.config import Config
from tagger.web.api.suggestions import page_of
from tagger.web.client import App
from tagger.web.suggesting import suggested

COLUMNS = ("tag", "photos", "becomes", "photos", "why")
PAGE = 1_000
_WHY = {
    Kind.WRITING: "written apart, or with accents",
    Kind.PLURAL: "plural",
    Kind.SPELLING: "spelling",
    Kind.MEANING: "meaning",
}


def suggest(options: Namespace, config: Config) -> int:
    """List the pairs, the surest first; exit code 1 without any."""
    found = _found(options, config)
    if options.json:
        output.data(found)
    else:
        output.table(COLUMNS, [_row(one) for one in found["suggestions"]])
        listed = len(found["suggestions"])
        more = f", {listed} of them listed" if listed < found["total"] else ""
        output.problem(f"{output.count(found['total'], 'pair')}{more}")
    if found["note"]:
        output.problem(found["note"])
    return 0 if found["suggestions"] else 1


def _found(options: Namespace, config: Config) -> dict[str, Any]:
    app = App.find(config.data_dir)
    if app is not None:
        with app:
            return _all(app, options)
    with opened(config) as runtime:
        found = suggested(runtime, meaning=options.meaning)
        return page_of(found, start=0, limit=options.limit).model_dump(mode="json")


def _all(app: App, options: Namespace) -> dict[str, Any]:
    """Page after page until there are as many as wanted, or no more."""
    asked: dict[str, str | int] = {"meaning": str(options.meaning).lower()}
    found = app.suggestions(limit=min(options.limit, PAGE), **asked)
    while (start := found["next"]) and start < options.limit:
        some = min(options.limit - start, PAGE)
        more = app.suggestions(start=start, limit=some, **asked)
        found = {**more, "suggestions": found["suggestions"] + more["suggestions"]}
    return found


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    goes, stays = one["goes"], one["stays"]
    why = _WHY[Kind(one["kind"])]
    return goes["name"], goes["count"], stays["name"], stays["count"], why
