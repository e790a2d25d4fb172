"""The `undo` command: puts back what was written, or says what it would put back."""

import os
import threading
from argparse import Namespace
from collections.abc import Mapping
from datetime import UTC, datetime

from tagger.cli import output
from tagger.config import Config
from tagger.errors import UsageError
from tagger.pipeline import undo as undoing
from tagger.pipeline.run import stop_on_signals
from tagger.pipeline.undo import Left, Undone
from tagger.pipeline.unwinding import PutBack
from tagger.records import Changed
from tagger.tracking.history import Which

SOME_LEFT = 3
STOPPED = 130


def undo(options: Namespace, config: Config) -> int:
    """Put back what was written; 3 if something was refused."""
    which = Which(
        place=os.path.realpath(os.fsencode(options.image)) if options.image else None,
        run_id=options.run_id,
        tag=options.tag,
        since=_utc(options.since) if options.since else None,
    )
    carry_out = undoing.rehearse if options.dry_run else undoing.undo
    stop = threading.Event()
    stop_on_signals(stop)
    with output.progress("trying" if options.dry_run else "undoing") as progress:
        outcome = carry_out(
            config,
            which,
            changed=Changed(options.changed),
            progress=progress,
            stop=stop,
        )
    if options.json:
        output.data(_as_json(outcome))
    elif options.dry_run:
        _foretell(outcome)
    else:
        _say(outcome)
    if stop.is_set():
        return STOPPED
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


def _foretell(outcome: Undone) -> None:
    """Each write with what would become of its fields."""
    for one in outcome.put_back:
        run = f"run {one.write.run_id}" if one.write.run_id else "a copied photo"
        output.line(f"{one.file} ({run}, {one.write.written_at})")
        if one.put_back:
            output.line(f"  would be put back: {', '.join(one.put_back)}")
        for label, fields in (
            ("would be left", one.refused),
            ("cannot be put back", one.unrestorable),
            ("would wait", one.waiting),
        ):
            for reason, names in _by_reason(fields).items():
                output.line(f"  {label}: {names}: {reason}")
    photos = output.count(len(outcome.photos), "photo")
    writes = output.count(outcome.writes, "write")
    if not outcome.chosen:
        output.problem("nothing to undo")
        return
    output.problem(f"{writes} of {photos} would be undone; nothing was changed")


def _by_reason(fields: Mapping[str, str]) -> dict[str, str]:
    """The names of the fields with the same reason, in one text."""
    found: dict[str, str] = {}
    for name, reason in fields.items():
        found[reason] = f"{found[reason]}, {name}" if reason in found else name
    return found


def _say(outcome: Undone) -> None:
    for left in outcome.refused:
        output.problem(f"{left.file}: {left.field} was left: {left.reason}")
    for left in outcome.unrestorable:
        output.problem(f"{left.file}: {left.field} cannot be put back: {left.reason}")
    if not outcome.chosen:
        output.problem("nothing to undo")
        return
    if outcome.waiting:
        writes = output.count(outcome.waiting, "write")
        output.problem(
            f"{writes} go back whole once the later ones that stand on them are undone"
        )
    writes = output.count(outcome.writes, "write")
    photos = output.count(len(outcome.photos), "photo")
    output.line(f"{writes} of {photos} undone in run {outcome.run_id}")
    if outcome.refused:
        output.problem(
            "what was left stays listed (`history PATH`): undo it again once it is as "
            "it was written, or with --changed keep or --changed overwrite"
        )
    output.problem(
        f"`python -m tagger undo --run {outcome.run_id}` brings the words back; "
        "`tag --retag` asks a model again"
    )


def _as_json(outcome: Undone) -> dict[str, object]:
    return {
        "run": outcome.run_id,
        "chosen": outcome.chosen,
        "writes": outcome.writes,
        "photos": len(outcome.photos),
        "each": [_one(one) for one in outcome.put_back],
        "refused": _listed(outcome.refused),
        "unrestorable": _listed(outcome.unrestorable),
    }


def _one(one: PutBack) -> dict[str, object]:
    return {
        "file": one.file,
        "write": one.write.id,
        "run": one.write.run_id,
        "written_at": one.write.written_at,
        "put_back": list(one.put_back),
        "refused": dict(one.refused),
        "unrestorable": dict(one.unrestorable),
        "waiting": dict(one.waiting),
    }


def _listed(left: list[Left]) -> list[dict[str, str]]:
    return [
        {"file": one.file, "field": one.field, "reason": one.reason} for one in left
    ]
