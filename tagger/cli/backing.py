"""The `backup` and `restore` commands."""

from argparse import Namespace
from pathlib import Path

from tagger.cli import output
from tagger.config import Config
from tagger.errors import UsageError
from tagger.tracking.database import Database
from tagger.web import backups
from tagger.web.client import App


def backup(options: Namespace, config: Config) -> int:
    """Write what cannot be made again into one file, also while the app runs."""
    if not Database.is_there(config):
        raise UsageError(f"there is no library in {config.data_dir} to back up")
    out = Path(options.file)
    with Database.of(config) as db:
        photos = backups.make(config, db, out)
    output.problem(
        f"wrote {out}: what is known of {output.count(photos, 'photo')}, saved "
        "searches and questions, and the settings; the photos themselves are not in it"
    )
    return 0


def restore(options: Namespace, config: Config) -> int:
    """Put a backup in the place of what is there; by the app, while it runs."""
    path = Path(options.file).absolute()
    app = App.find(config.data_dir)
    if app is not None:
        with app:
            done = app.restore(path, with_settings=options.settings)
    else:
        with Database.of(config) as db:
            done = backups.restore(config, db, path, with_settings=options.settings)
    kept = "with its settings" if done.with_settings else "settings stay as they were"
    output.problem(
        f"what was known of {output.count(done.photos, 'photo')} on {done.made_at} is "
        f"back; {kept}. The catalogue follows by itself"
    )
    return 0
