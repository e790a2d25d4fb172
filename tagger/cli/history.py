"""The `runs`, `undo`, `verify` and `conflicts` commands."""

import os
import threading
from argparse import Namespace
from datetime import UTC, datetime

from tagger.cli import output
from tagger.config import Config
from tagger.errors import UsageError, shown
from tagger.pipeline import undo as undoing
from tagger.pipeline import verify as verifying
from tagger.pipeline.run import stop_on_signals
from tagger.pipeline.undo import Left, Undone
from tagger.tracking import conflicts as disputes
from tagger.tracking import history
from tagger.tracking.database import Database
from tagger.tracking.history import PastWrite, Which

RUNS = ("id", "kind", "started", "ended", "photos written", "")
SOME_LEFT = 3


def runs(options: Namespace, config: Config) -> int:
    """List the runs, newest first, with how many photos each wrote."""
    with Database.open(config.tracking_path) as db:
        listed = history.every_run(db)
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
                f"{output.count(run.undone, 'write')} undone" if run.undone else "",
            )
            for run in listed
        ],
    )
    return 0


def _minute(time: str) -> str:
    return f"{time[:16].replace('T', ' ')} UTC"


def undo(options: Namespace, config: Config) -> int:
    """Put back what was written; 3 if something was refused."""
    which = Which(
        place=os.path.realpath(os.fsencode(options.image)) if options.image else None,
        run_id=options.run_id,
        tag=options.tag,
        since=_utc(options.since) if options.since else None,
    )
    if options.dry_run:
        return _plan(options, undoing.plan(config, which))
    stop = threading.Event()
    stop_on_signals(stop)
    with output.progress("undoing") as progress:
        outcome = undoing.undo(config, which, progress=progress, stop=stop)
    if options.json:
        output.data(_as_json(outcome))
    else:
        _say(outcome)
    if stop.is_set():
        return 130
    return SOME_LEFT if outcome.refused else 0


def _utc(text: str) -> str:
    """A time people write, in this machine's zone unless it names one."""
    try:
        at = datetime.fromisoformat(text).astimezone(UTC)
    except ValueError as error:
        raise UsageError(
            f"{text} is no time; write 2026-11-22 or 2026-11-22T10:00"
        ) from error
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def _plan(options: Namespace, planned: list[PastWrite]) -> int:
    rows = [
        {
            "write": past.id,
            "file": shown(past.target),
            "run": past.run_id,
            "written_at": past.written_at,
            "fields": sorted({*past.before, *past.intended}),
            "away": past.away,
        }
        for past in planned
    ]
    if options.json:
        output.data(rows)
    else:
        columns = ("file", "run", "written", "fields", "")
        output.table(
            columns,
            [
                (r["file"], r["run"], r["written_at"], _listed(r["fields"]), r["away"])
                for r in rows
            ],
        )
    photos = output.count(len({past.file_id for past in planned}), "photo")
    writes = output.count(len(planned), "write")
    output.problem(f"{writes} of {photos} would be undone; nothing was changed")
    return 0


def _listed(names: object) -> str:
    assert isinstance(names, list)
    return ", ".join(names)


def _say(outcome: Undone) -> None:
    for left in outcome.refused:
        output.problem(f"{left.file}: {left.field} was left: {left.reason}")
    for left in outcome.unrestorable:
        output.problem(f"{left.file}: {left.field} cannot be put back: {left.reason}")
    if not outcome.chosen:
        output.problem("nothing to undo")
        return
    writes = output.count(outcome.writes, "write")
    photos = output.count(len(outcome.photos), "photo")
    output.line(f"{writes} of {photos} undone in run {outcome.run_id}")
    output.problem(
        f"`python -m tagger undo --run {outcome.run_id}` brings the words back; "
        "`tag --retag` asks a model again"
    )


def _as_json(outcome: Undone) -> dict[str, object]:
    def listed(left: list[Left]) -> list[dict[str, str]]:
        return [
            {"file": one.file, "field": one.field, "reason": one.reason} for one in left
        ]

    return {
        "run": outcome.run_id,
        "chosen": outcome.chosen,
        "writes": outcome.writes,
        "photos": len(outcome.photos),
        "refused": listed(outcome.refused),
        "unrestorable": listed(outcome.unrestorable),
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
        photos = output.count(report.photos, "photo")
        faults = output.count(len(report.faults), "fault")
        output.problem(f"{photos} checked: {faults if report.faults else 'all well'}")
    return SOME_LEFT if report.faults else 0


def conflicts(options: Namespace, config: Config) -> int:
    """List what an edit and a change made outside disagree about."""
    with Database.open(config.tracking_path) as db:
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
