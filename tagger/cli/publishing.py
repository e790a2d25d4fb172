"""The `publish` command: the catalogue as a snapshot in a lake that others read."""

from argparse import Namespace
from dataclasses import asdict
from pathlib import Path

from tagger.catalogue import export as catalogue_export
from tagger.catalogue import lake
from tagger.catalogue.wanted import Wanted
from tagger.cli import output
from tagger.cli.catalogue import opened
from tagger.config import Config
from tagger.tracking.database import Database
from tagger.web.client import App


def publish(options: Namespace, config: Config) -> int:
    """Publish every photo of the catalogue; says what changed since the last time."""
    target = lake.Target.parse(options.target)
    data_path = Path(options.data_path) if options.data_path else None
    config.data_dir.mkdir(parents=True, exist_ok=True)
    with lake.workplace(config.data_dir) as folder:
        photos = folder / "photos.parquet"
        _export(config, photos)
        with Database.open(config.tracking_path) as db:
            library = db.id
        done = lake.publish(photos, target, library=library, data_path=data_path)
    if options.json:
        output.data(asdict(done))
    elif done.is_news:
        output.problem(
            f"published to {target} as snapshot {done.snapshot}: "
            f"{done.added} added, {done.changed} changed, {done.removed} removed; "
            f"photos in it: {done.photos}"
        )
    else:
        output.problem(f"{target} is up to date; photos in it: {done.photos}")
    return 0


def _export(config: Config, out: Path) -> None:
    app = App.find(config.data_dir)
    if app is not None:
        with app:
            app.export(out, format="parquet")
        return
    with opened(config) as runtime:
        catalogue_export.export(runtime.catalogue, Wanted(), out, "parquet")
