"""The `facets` command: photos counted by what they have."""

from argparse import Namespace
from typing import Any

from tagger.catalogue import breakdown
from tagger.catalogue.wanted import Wanted
from tagger.cli import output
from tagger.cli.catalogue import opened
from tagger.config import Config
from tagger.web.client import App


def facets(options: Namespace, config: Config) -> int:
    """Print how many of the photos a query finds have what."""
    query = " ".join(options.query)
    found = _ask(query, options, config)
    if options.json:
        output.data(
            [
                {
                    "by": one["by"],
                    "note": one["note"],
                    "rows": [
                        dict(zip(one["columns"], r, strict=True)) for r in one["rows"]
                    ],
                }
                for one in found
            ]
        )
        return 0
    for number, one in enumerate(found):
        if number:
            output.line("")
        output.table(one["columns"], one["rows"])
        if one["note"]:
            output.problem(one["note"])
    return 0


def _ask(query: str, options: Namespace, config: Config) -> list[dict[str, Any]]:
    models = tuple(options.models or ())
    kinds = options.by or (["drift"] if models else list(breakdown.OVERVIEW))
    app = App.find(config.data_dir)
    if app is not None:
        with app:
            return app.facets(query, by=kinds, limit=options.limit, models=models)
    asked = breakdown.Asked(
        wanted=Wanted(query=query), limit=options.limit, models=models
    )
    with opened(config) as here:
        found = breakdown.break_downs(here.catalogue, here.db, kinds, asked)
    return [
        {"by": f.by, "columns": f.columns, "rows": f.rows, "note": f.note}
        for f in found
    ]
