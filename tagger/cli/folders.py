"""The `folders` and `scan` commands; they need the tracking database alone."""

import os
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType

from tagger.cli import output
from tagger.config import Config
from tagger.errors import UsageError, shown
from tagger.pipeline.discover import Scanner
from tagger.records import Folder, Watching, WriteMode
from tagger.tracking import bindings, folders, reviewing, runs, schedules, waiting
from tagger.tracking.database import Database
from tagger.tracking.usable import mirror_tree

COLUMNS = (
    *("id", "folder", "active", "subfolders", "writes to", "review", "servers"),
    *("hours", "last scan", "changes", ""),
)
ANY = "any"


def add(options: Namespace, config: Config) -> int:
    """Add a folder; a running tagger takes it up at once."""
    with Database.of(config) as db:
        folder = folders.add(
            db,
            os.fsencode(Path(options.path).absolute()),
            recursive=not options.flat,
            write_mode=_mode(options, config),
            active=not options.inactive,
            mirror=_path(options.mirror) if options.mirror else None,
            servers=_servers(options.servers, config),
            review=_review(options),
            data_dir=config.data_dir,
            roots=config.library.roots,
        )
    return _show(options, config, [folder])


def _mode(options: Namespace, config: Config) -> WriteMode:
    if options.write is None and options.mirror:
        return WriteMode.MIRROR
    return WriteMode(options.write or config.metadata.write_mode)


def _review(options: Namespace) -> bool | None:
    return None if options.review is None else options.review == "on"


def _path(text: str) -> bytes:
    return os.fsencode(Path(text).absolute())


def change(options: Namespace, config: Config) -> int:
    """Change where and when a folder's words go, its servers, or its hours."""
    others = (options.servers, options.review, options.hours, options.scan_every)
    if options.write is None and (
        all(one is None for one in others) or options.mirror is not None
    ):
        raise UsageError(
            "folders set: say what to change, with --write (and --mirror), --review, "
            "--servers, --hours or --scan-every"
        )
    names = _servers(options.servers, config)
    with Database.of(config) as db:
        folder = _named(db, options.folder)
        _set_schedule(db, folder, options)
        if options.servers is not None:
            bindings.bind(db, folder.id, names)
        if options.write is not None:
            _set_mode(db, folder, options)
        if options.review is not None:
            folders.set_review(db, folder.id, bool(_review(options)))
            _say_what_waits(db, folder, options)
        folder = folders.get(db, folder.id)
    if options.write is not None:
        output.problem(
            f"words for {shown(folder.path)} go {_where(folder, config)} from now on; "
            "what was written so far stays where it is"
        )
    return _show(options, config, [folder])


def _set_schedule(db: Database, folder: Folder, options: Namespace) -> None:
    if options.hours is not None:
        schedules.set_hours(db, folder.id, options.hours)
    if options.scan_every is not None:
        minutes = schedules.minutes(options.scan_every)
        schedules.set_scan_interval(db, folder.id, minutes)


def _set_mode(db: Database, folder: Folder, options: Namespace) -> None:
    mirror = _path(options.mirror) if options.mirror else options.mirror
    folders.set_write_mode(
        db,
        folder.id,
        WriteMode(options.write),
        mirror=b"" if mirror == "" else mirror,
    )


def _say_what_waits(db: Database, folder: Folder, options: Namespace) -> None:
    """Nothing that waits is written because a folder is set otherwise."""
    waiting = reviewing.count_in(db, folder.id)
    if options.review == "off" and waiting:
        output.problem(
            f"{output.count(waiting, 'photo')} there still wait for review: "
            f"`python -m tagger review accept {shown(folder.path)}` accepts them all"
        )


def _where(folder: Folder, config: Config) -> str:
    return {
        WriteMode.FILE: "into the photos",
        WriteMode.SIDECAR: "into XMP files beside the photos",
        WriteMode.MIRROR: f"into {shown(mirror_tree(folder, config.mirror_dir))}",
        WriteMode.NONE: "into the catalogue only",
    }[folder.write_mode]


def _servers(given: str | None, config: Config) -> list[str] | None:
    """The names of servers as the settings spell them; None: any."""
    if given is None or given.strip() == ANY:
        return None
    names = [name.strip() for name in given.split(",") if name.strip()]
    return config.servers_called(names)


def show(options: Namespace, config: Config) -> int:
    """List the folders."""
    with Database.of(config) as db:
        listed, watching = folders.every(db), runs.watching(db)
    if not listed:
        output.problem("no folders yet; `python -m tagger folders add PATH` adds one")
    return _show(options, config, listed, watching)


def remove(options: Namespace, config: Config) -> int:
    """Take a folder out of the catalogue; its files stay as they are."""
    with Database.of(config) as db:
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
    with Database.of(config) as db:
        folder = _named(db, options.folder)
        folders.set_active(db, folder.id, active)
        return _show(options, config, [folders.get(db, folder.id)])


def scan(options: Namespace, config: Config) -> int:
    """Look through folders now: those named, or all active ones."""
    with Database.of(config) as db:
        chosen = (
            [_named(db, path) for path in options.paths]
            if options.paths
            else [folder for folder in folders.every(db) if folder.active]
        )
        scanner = Scanner(
            db,
            data_dir=config.data_dir,
            settle_s=config.scan.settle_s,
            mirror_dir=config.mirror_dir,
            roots=config.library.roots,
        )
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


def _written(folder: Folder, config: Config) -> str:
    if folder.write_mode is not WriteMode.MIRROR:
        return folder.write_mode
    return f"mirror: {shown(mirror_tree(folder, config.mirror_dir))}"


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


def _show(
    options: Namespace,
    config: Config,
    listed: Sequence[Folder],
    watching: Mapping[int, Watching] = MappingProxyType({}),
) -> int:
    if options.json:
        output.data(
            [
                {**asdict(folder), "watching": watching.get(folder.id)}
                for folder in listed
            ]
        )
        return 0
    output.table(
        COLUMNS,
        [
            (
                folder.id,
                shown(folder.path),
                "yes" if folder.active else "no",
                "yes" if folder.recursive else "no",
                _written(folder, config),
                "yes" if folder.review else "no",
                ANY if folder.servers is None else ", ".join(folder.servers),
                _hours(folder, config),
                _minute(folder.last_scan_at),
                _changes(watching.get(folder.id)),
                _remark(folder, config),
            )
            for folder in listed
        ],
    )
    return 0


def _hours(folder: Folder, config: Config) -> str:
    """When it is worked on, and how often it is looked through if that is its own."""
    hours = folder.hours or config.schedule.window or "always"
    pace = folder.scan_interval_min
    return hours if pace is None else f"{hours}, scan every {pace:g} min"


def _remark(folder: Folder, config: Config) -> str:
    if folder.offline:
        return f"offline: {folder.offline}"
    return waiting.until(folder, config.schedule) or ""


def _changes(watching: Watching | None) -> str:
    """How they come to be known; nothing while no tagger watches."""
    if watching is None:
        return ""
    return watching.note or "seen at once"
