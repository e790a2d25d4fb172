"""The `duplicates` command: photos that are there more than once, or look the same."""

from argparse import Namespace
from collections.abc import Callable
from typing import Any

from tagger.catalogue.alike.grouping import USUAL_DISTANCE, Alike
from tagger.cli import output
from tagger.cli.catalogue import opened
from tagger.config import Config
from tagger.web.api.duplicates import page_of
from tagger.web.client import App

PAGE = 200
COLUMNS = ("group", "id", "file", "pixels", "bytes", "differs")

Listing = dict[str, Any]
Ask = Callable[[int, int], Listing]  # from which group on, and how many


def duplicates(options: Namespace, config: Config) -> int:
    """List the groups, those first that take most room; exit code 1 without any."""
    query = " ".join(options.query)
    alike = Alike(
        near=options.near or options.distance is not None,
        distance=USUAL_DISTANCE if options.distance is None else options.distance,
    )
    found = _found(config, query, alike, options.limit)
    if options.json:
        output.data(found)
    else:
        output.table(COLUMNS, [row for n, g in _numbered(found) for row in _rows(n, g)])
        output.problem(_sum(found))
    return 0 if found["groups"] else 1


def _found(config: Config, query: str, alike: Alike, limit: int) -> Listing:
    app = App.find(config.data_dir)
    if app is not None:
        with app:
            return _all(
                lambda start, some: app.duplicates(
                    q=query,
                    near=str(alike.near).lower(),
                    distance=alike.distance,
                    start=start,
                    limit=some,
                ),
                limit,
            )
    with opened(config) as runtime:
        return _all(
            lambda start, some: page_of(
                runtime.duplicates.listed(query, alike, start=start, limit=some)
            ).model_dump(mode="json"),
            limit,
        )


def _all(ask: Ask, limit: int) -> Listing:
    """Page after page until there are as many groups as wanted, or no more."""
    found = ask(0, min(limit, PAGE))
    while (start := found["next"]) is not None and len(found["groups"]) < limit:
        more = ask(start, min(limit - len(found["groups"]), PAGE))
        found = {**more, "groups": found["groups"] + more["groups"]}
    return found


def _numbered(found: Listing) -> list[tuple[int, Listing]]:
    return list(enumerate(found["groups"], start=1))


def _rows(number: int, group: Listing) -> list[tuple[object, ...]]:
    """A row a photo; what differs is said beside the first."""
    what = "copies" if group["exact"] else "look the same"
    differs = ", ".join(group["differs"]) or "nothing"
    said = [f"{what}; differs: {differs}"]
    if group["total"] > len(group["photos"]):
        said = [f"{said[0]}; {group['total']} photos in all"]
    return [
        (
            number,
            photo["id"],
            photo["path"],
            f"{photo['width_px']}x{photo['height_px']}",
            photo["size_bytes"],
            "".join(said[at : at + 1]),
        )
        for at, photo in enumerate(group["photos"])
    ]


def _sum(found: Listing) -> str:
    if not found["groups"]:
        return "no photo is there more than once" + _plain(found)
    listed = len(found["groups"])
    more = f", {listed} of them listed" if listed < found["total"] else ""
    return (
        f"{output.count(found['total'], 'group')}{more}: {found['photos']} photos; all "
        f"but the first of each take {found['spare_bytes'] / 1e6:,.1f} MB"
        + _plain(found)
    )


def _plain(found: Listing) -> str:
    if not found["plain"]:
        return ""
    return (
        f"; {output.count(found['plain'], 'picture')} too plain to be compared by look"
    )
