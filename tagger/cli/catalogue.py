"""The `search`, `export` and `rebuild` commands.

DuckDB lets one process open the catalogue. While the app runs it is asked; only when
no app answers is the catalogue opened here, briefly, after taking in what is new.
"""

from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tagger.catalogue import export as catalogue_export
from tagger.catalogue import finding
from tagger.catalogue.store import Catalogue
from tagger.catalogue.wanted import Sort, Wanted
from tagger.cli import output
from tagger.config import Config
from tagger.web import rebuild as web_rebuild
from tagger.web.client import Answer, App, Found
from tagger.web.runtime import Runtime

# How long a catalogue that another command has open is waited for.
LOCK_WAIT_S = 30.0
PAGE = 500
COLUMNS = ("id", "file", "description", "tags")


def search(options: Namespace, config: Config) -> int:
    """Print the photos that match, best first; exit code 1 when there are none."""
    query = " ".join(options.query)
    app = App.find(config.data_dir)
    if app is not None:
        with app:
            answer = app.search(query, limit=options.limit)
    else:
        with opened(config) as runtime:
            answer = _search(runtime.catalogue, query, options.limit)
    found = answer.photos
    if answer.query != query:
        output.problem(f"nothing matches {query}; this is for {answer.query}")
    if options.json:
        output.data(found)
    else:
        output.table(
            COLUMNS, [(f.id, f.path, f.description, ", ".join(f.tags)) for f in found]
        )
        if not found:
            output.problem(f"nothing matches {query}")
    return 0 if found else 1


def _search(catalogue: Catalogue, query: str, limit: int) -> Answer:
    wanted, after = Wanted(query=query, sort=Sort.RELEVANCE), None
    photos: list[Found] = []
    while len(photos) < limit:
        some = min(limit - len(photos), PAGE)
        answer = finding.find(catalogue, wanted, after=after, limit=some)
        photos += [
            Found(card.id, card.shown_path, card.description, card.tags)
            for card in answer.page.images
        ]
        wanted, after = answer.wanted, answer.page.next
        if after is None:
            break
    return Answer(photos, wanted.query)


def export(options: Namespace, config: Config) -> int:
    """Write the catalogue, or what a query finds, as a table or as XMP files."""
    out = Path(options.file)
    kind = catalogue_export.format_of(out)
    written(config, out, kind, query=options.query, formula_safe=not options.plain)
    output.problem(f"wrote {out}")
    return 0


def written(
    config: Config, out: Path, kind: str, *, query: str = "", formula_safe: bool = True
) -> None:
    """Have the photos a query finds written to a file, by the app if it runs."""
    app = App.find(config.data_dir)
    if app is not None:
        with app:
            app.export(out, format=kind, query=query, formula_safe=formula_safe)
        return
    with opened(config) as runtime:
        catalogue_export.export(
            runtime.catalogue,
            Wanted(query=query),
            out,
            kind,
            formula_safe=formula_safe,
            says_who=config.metadata.provenance,
        )


def rebuild(options: Namespace, config: Config) -> int:
    """Make catalogue, search index and thumbnails anew from tracking and the files."""
    app = App.find(config.data_dir)
    with output.progress("rebuilding") as progress:
        if app is not None:
            with app:
                app.rebuild(progress)
        else:
            with opened(config) as runtime:
                web_rebuild.everything(runtime, progress)
    output.problem("catalogue, search index and thumbnails were made anew")
    return 0


@contextmanager
def opened(config: Config) -> Iterator[Runtime]:
    """The catalogue, with everything new in it, for a moment."""
    runtime = Runtime.open(config, wait_s=LOCK_WAIT_S)
    try:
        runtime.take()
        yield runtime
    finally:
        runtime.close()
