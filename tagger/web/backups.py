"""Backups: what cannot be made again from the photos, in one file, and back from it.

That is the tracking database, the searches and questions that people saved, and the
settings. Catalogue, search index and thumbnails are made again. The photos themselves
are not in it.
"""

import json
import os
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import tagger
from tagger import config
from tagger.config import Config
from tagger.errors import DataError, UsageError
from tagger.outfiles import replacing
from tagger.records import utc_now
from tagger.tracking import archive, runs, status
from tagger.tracking.database import Database
from tagger.web import saved, searches

DATABASE, SETTINGS, ABOUT = "tracking.db", "config.toml", "about.json"
LISTS = (searches.NAME, saved.NAME)


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back: so many photos, from when, and whether settings did, too."""

    photos: int
    made_at: str
    with_settings: bool


def make(settings: Config, db: Database, out: Path) -> int:
    """Write everything into the file `out`, also while others work; how many photos.

    Raises `UsageError` if it cannot be written.
    """
    with _beside(out) as folder:
        archive.save(db, folder / DATABASE)
        with Database.open(folder / DATABASE) as copy:
            photos = status.read(copy).total
        about = {"program": tagger.__version__, "made_at": utc_now(), "photos": photos}
        parts = [folder / DATABASE, *(settings.data_dir / name for name in LISTS)]
        parts.append(config.config_path())
        with (
            replacing(out) as file,
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed,
        ):
            # It holds the settings, and tells of every photo.
            os.fchmod(file.fileno(), 0o600)
            packed.writestr(ABOUT, json.dumps(about, indent=2))
            for part in parts:
                if part.exists():
                    name = SETTINGS if part == config.config_path() else part.name
                    packed.write(part, name)
    return photos


def restore(
    settings: Config, db: Database, path: Path, *, with_settings: bool = False
) -> Restored:
    """Put what a backup holds in the place of what is there.

    The settings stay as they are unless they are wanted, too, or there are none. Raises
    `UsageError` while a tagger is at work, and `DataError` for a file that is no
    backup; nothing was changed then.
    """
    _refuse_at_work(db)
    with _beside(settings.data_dir / DATABASE) as folder, _opened(path) as packed:
        about = json.loads(packed.read(ABOUT))
        packed.extract(DATABASE, folder)
        photos = archive.load(db, folder / DATABASE)
        for name in LISTS:
            _put(packed, name, settings.data_dir / name)
        target = config.config_path()
        with_settings = with_settings or not target.exists()
        if with_settings:
            _put(packed, SETTINGS, target)
    return Restored(photos, str(about["made_at"]), with_settings)


def _refuse_at_work(db: Database) -> None:
    # Reports outlive a tagger that was ended the hard way; its lock does not.
    if runs.others_alive(db):
        raise UsageError(
            "a tagger is at work on this library: stop `python -m tagger run`, on "
            "whatever machine it runs, and try again"
        )


@contextmanager
def _beside(out: Path) -> Iterator[Path]:
    """A folder for unfinished files, on the disk that has the room for them."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".backup-", dir=out.parent) as folder:
            yield Path(folder)
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}") from error


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as packed:
            if packed.testzip() is not None:
                raise zipfile.BadZipFile("a part of it is not what was written")
            yield packed
    except FileNotFoundError as error:
        raise UsageError(f"{path}: there is no such file") from error
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError) as error:
        raise DataError(
            f"{path} is damaged, or no backup of Image Tagger: {error}; nothing was "
            "changed"
        ) from error


def _put(packed: zipfile.ZipFile, name: str, target: Path) -> None:
    """Put one part in its place, or take away what is there if the backup has none."""
    if name not in packed.namelist():
        target.unlink(missing_ok=True)
        return
    with replacing(target) as file:
        file.write(packed.read(name))
