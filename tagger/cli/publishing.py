"""The `publish` command: the catalogue as a snapshot in a lake that others read."""

from argparse import Namespace
from dataclasses import asdict
from pathlib import Path

from tagger.catalogue import lake
from tagger.cli import catalogue, output
from tagger.config import Config
from tagger.tracking.database import Database


def publish(options: Namespace, config: Config) -> int:
    """Publish every photo of the catalogue; says what changed since the last time."""
    target = lake.Target.parse(options.target)
    data_path = Path(options.data_path) if options.data_path else None
    config.data_dir.mkdir(parents=True, exist_ok=True)
    with lake.workplace(config.data_dir) as folder:
        photos = folder / "photos.parquet"
        catalogue.written(config, photos, "parquet")
        with Database.of(config) as db:
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
