"""The `doctor` command."""

from argparse import Namespace

from tagger import doctor as checks
from tagger.catalogue import intake
from tagger.catalogue.compare import differences
from tagger.catalogue.store import Catalogue
from tagger.cli import output
from tagger.config import Config
from tagger.doctor import Finding
from tagger.tracking.database import Database
from tagger.web.client import App


def doctor(options: Namespace, config: Config) -> int:
    """Say what stands in the way, and what to do; exit code 1 if anything does."""
    with Database.of(config) as db:
        app = App.find(config.data_dir)
        if app is not None:
            app.close()
            found = checks.findings(config, db)
            text = f"open in the app at {app.url}; see its Settings page"
            found.append(Finding("catalogue", True, text))
        else:
            catalogue = Catalogue.open(config.catalogue_path, config.search_dir)
            try:
                intake.take(catalogue, db)
                found = checks.findings(
                    config, db, differences=lambda: differences(catalogue, db)
                )
            finally:
                catalogue.close()
    _print(options, found)
    return 0 if all(one.ok for one in found) else 1


def _print(options: Namespace, found: list[Finding]) -> None:
    if options.json:
        output.data(found)
        return
    for one in found:
        output.line(f"{'ok ' if one.ok else '!! '} {one.name}: {one.found}")
        if one.advice:
            output.line(f"     {one.advice}")
