"""The `runs`, `history`, `verify` and `conflicts` commands."""

import os
from argparse import Namespace

from tagger.cli import output
from tagger.config import Config
from tagger.errors import shown
from tagger.pipeline import verify as verifying
from tagger.pipeline.verify import Report
from tagger.tracking import conflicts as disputes
from tagger.tracking import history as past
from tagger.tracking.database import Database
from tagger.tracking.history import PastWrite, Run

WRITES = ("write", "run", "kind", "written", "file", "")
RUNS = ("id", "kind", "started", "ended", "photos written", "")
SOME_LEFT = 3


def runs(options: Namespace, config: Config) -> int:
    """List the runs, newest first, with how many photos each wrote."""
    with Database.of(config) as db:
        listed = past.every_run(db)
    if options.json:
        output.data(listed)
        return 0
    output.table(
        RUNS,
        [
            (
                run.id,
                run.kind,
                _minute(run.started_at),
                _minute(run.ended_at) if run.ended_at else "",
                run.photos,
                _undone(run),
            )
            for run in listed
        ],
    )
    return 0


def _minute(time: str) -> str:
    return f"{time[:16].replace('T', ' ')} UTC"


def _undone(run: Run) -> str:
    """`3 writes undone, 1 in part`."""
    parts = []
    if run.undone:
        parts.append(f"{output.count(run.undone, 'write')} undone")
    if run.partly:
        parts.append(f"{output.count(run.partly, 'write')} partly undone")
    return ", ".join(parts)


def history(options: Namespace, config: Config) -> int:
    """List what was written into photos, and what of it still stands."""
    places = [os.path.realpath(os.fsencode(path)) for path in options.paths]
    with Database.of(config) as db:
        listed = past.of(db, places)
    if options.json:
        output.data([_as_json(write) for write in listed])
        return 0
    output.table(
        WRITES,
        [
            (
                write.id,
                write.run_id,
                write.kind,
                _minute(write.written_at),
                shown(write.target),
                _state(write),
            )
            for write in listed
        ],
    )
    for write in listed:
        for name, reason in (write.left or {}).items():
            output.line(f"write {write.id}: {name} was left: {reason}")
    if not listed:
        output.problem("nothing of ours was written there, as far as is on record")
    return 0


def _state(write: PastWrite) -> str:
    if write.is_whole:
        return "stands"
    if write.is_partly_undone:
        return "partly undone"
    return "undone, but for what later writes stand on" if write.left else "undone"


def _as_json(write: PastWrite) -> dict[str, object]:
    return {
        "write": write.id,
        "run": write.run_id,
        "kind": write.kind,
        "written_at": write.written_at,
        "file": shown(write.target),
        "state": _state(write),
        "fields": sorted({*write.before, *write.intended}),
        "left": dict(write.left or {}),
    }


def verify(options: Namespace, config: Config) -> int:
    """Check every photo that was written; 3 if one is not as it should be."""
    paths = [os.fsencode(path) for path in options.paths]
    with output.progress("verifying") as progress:
        report = verifying.verify(config, paths, progress=progress)
    if options.json:
        output.data(report)
    else:
        for fault in report.faults:
            output.line(f"{fault.file}: {fault.problem}")
        output.problem(_verdict(report))
    return SOME_LEFT if report.faults else 0


def _verdict(report: Report) -> str:
    photos = output.count(report.photos, "photo")
    faults = output.count(len(report.faults), "fault")
    if report.photos or report.faults:
        said = f"{photos} checked: {faults if report.faults else 'all well'}"
    elif report.out_of_reach:
        said = "nothing could be checked"
    else:
        said = "nothing to check: no photo there was written by the tagger"
    if report.out_of_reach:
        away = output.count(report.out_of_reach, "photo")
        said += f"; {away} not checked, as their disk or folder is not there now"
    return said


def conflicts(options: Namespace, config: Config) -> int:
    """List what an edit and a change made outside disagree about."""
    with Database.of(config) as db:
        listed = disputes.listed(db)
    if options.json:
        output.data(listed)
        return 0
    output.table(
        ("file", "field", "here", "in the file"),
        [(shown(one.path), one.field, one.ours, one.theirs) for one in listed],
    )
    if listed:
        output.problem("a new edit of the photo settles it: `describe PATH TEXT`")
    return 0
