"""The `folders` and `scan` commands; they need the tracking database alone."""

import os
from argparse import Namespace
from dataclasses import asdict
from pathlib import Path

from tagger.cli import output
from tagger.config import Config
from tagger.errors import UsageError, shown
from tagger.pipeline.discover import Scanner
from tagger.records import Folder, WriteMode
from tagger.tracking import bindings, folders, runs
from tagger.tracking.database import Database

COLUMNS = (
    *("id", "folder", "active", "subfolders", "writes to", "servers"),
    *("last scan", ""),
)
ANY = "any"


def add(options: Namespace, config: Config) -> int:
    """Add a folder; a running tagger takes it up at once."""
    with Database.open(config.tracking_path) as db:
        folder = folders.add(
            db,
            os.fsencode(Path(options.path).absolute()),
            recursive=not options.flat,
            write_mode=WriteMode(options.write or config.metadata.write_mode),
            active=not options.inactive,
            servers=_servers(options.servers, config),
            data_dir=config.data_dir,
        )
    return _show(options, [folder])


def change(options: Namespace, config: Config) -> int:
    """Change how a folder is treated."""
    if options.servers is None:
        raise UsageError("folders set: say what to change, for example --servers NAME")
    names = _servers(options.servers, config)
    with Database.open(config.tracking_path) as db:
        folder = _named(db, options.folder)
        bindings.bind(db, folder.id, names)
        return _show(options, [folders.get(db, folder.id)])


def _servers(given: str | None, config: Config) -> list[str] | None:
    """The names of servers as the settings spell them; None: any."""
    if given is None or given.strip() == ANY:
        return None
    names = [name.strip() for name in given.split(",") if name.strip()]
    return config.servers_called(names)


def show(options: Namespace, config: Config) -> int:
    """List the folders."""
    with Database.open(config.tracking_path) as db:
        listed = folders.every(db)
    if not listed:
        output.problem("no folders yet; `python -m tagger folders add PATH` adds one")
    return _show(options, listed)


def remove(options: Namespace, config: Config) -> int:
    """Take a folder out of the catalogue; its files stay as they are."""
    with Database.open(config.tracking_path) as db:
        folder = _named(db, options.folder)
        folders.remove(db, folder.id)
    if options.json:
        output.data([folder])
    output.problem(f"{shown(folder.path)} was taken out; no file was touched")
    return 0


def activate(options: Namespace, config: Config) -> int:
    """Have a folder watched and worked on."""
    return _switch(options, config, active=True)


def deactivate(options: Namespace, config: Config) -> int:
    """Leave a folder alone for now."""
    return _switch(options, config, active=False)


def _switch(options: Namespace, config: Config, *, active: bool) -> int:
    with Database.open(config.tracking_path) as db:
        folder = _named(db, options.folder)
        folders.set_active(db, folder.id, active)
        return _show(options, [folders.get(db, folder.id)])


def scan(options: Namespace, config: Config) -> int:
    """Look through folders now: those named, or all active ones."""
    with Database.open(config.tracking_path) as db:
        chosen = (
            [_named(db, path) for path in options.paths]
            if options.paths
            else [folder for folder in folders.every(db) if folder.active]
        )
        scanner = Scanner(db, data_dir=config.data_dir, settle_s=config.scan.settle_s)
        alone = not runs.others_alive(db)
        rows = []
        for folder in chosen:
            outcome = scanner.scan(folder, alone=alone)
            rows.append(
                {
                    "folder": shown(folder.path),
                    "offline": folders.get(db, folder.id).offline,
                    **(asdict(outcome) if outcome else {}),
                }
            )
    if options.json:
        output.data(rows)
        return 0
    for row in rows:
        output.line(_sentence(row))
    return 0


def _sentence(row: dict[str, object]) -> str:
    if row["offline"]:
        return f"{row['folder']} is offline: {row['offline']}"
    counts = ", ".join(
        f"{row[name]} {name}" for name in ("new", "changed", "moved", "missing")
    )
    return f"{row['folder']}: {row['seen']} photos, {counts}"


def _minute(time: str | None) -> str:
    return f"{time[:16].replace('T', ' ')} UTC" if time else "never"


def _named(db: Database, text: str) -> Folder:
    """A folder by its path or its id."""
    folder = folders.find(db, os.fsencode(Path(text).absolute()))
    if folder is None and text.isdecimal():
        folder = folders.get(db, int(text))
    if folder is None:
        raise UsageError(
            f"{text} is not among the folders; `python -m tagger folders list` shows "
            "them, `folders add` adds one"
        )
    return folder


def _show(options: Namespace, listed: list[Folder]) -> int:
    if options.json:
        output.data(listed)
        return 0
    output.table(
        COLUMNS,
        [
            (
                folder.id,
                shown(folder.path),
                "yes" if folder.active else "no",
                "yes" if folder.recursive else "no",
                folder.write_mode,
                ANY if folder.servers is None else ", ".join(folder.servers),
                _minute(folder.last_scan_at),
                f"offline: {folder.offline}" if folder.offline else "",
            )
            for folder in listed
        ],
    )
    return 0
