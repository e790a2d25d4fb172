"""The `status` command."""

from argparse import Namespace

from tagger.cli import output
from tagger.config import Config
from tagger.records import Status
from tagger.tracking import snapshots
from tagger.tracking import status as tracking_status
from tagger.tracking.database import Database

LAST_ERRORS = 5


def status(options: Namespace, config: Config) -> int:
    """Show where the queue stands, who is asked, and what went wrong last."""
    with Database.open(config.tracking_path) as db:
        now = tracking_status.read(db)
        errors = [
            {"file": image.shown_path, "state": image.state, "reason": image.reason}
            for image in snapshots.troubled(db, limit=LAST_ERRORS)
        ]
    if options.json:
        output.data({"status": now, "last_errors": errors})
        return 0
    for text in _lines(now):
        output.line(text)
    for error in errors:
        output.line(f"  {error['file']}: {error['state']}: {error['reason']}")
    return 0


def _lines(now: Status) -> list[str]:
    lines = [f"tagger: {now.state}" + (f" ({now.message})" if now.message else "")]
    if now.backend:
        lines.append(f"model: {now.backend}")
    for server in now.servers:
        at_work = f"{server.busy} of {server.places} busy, {server.answered} answered"
        place = f" on {server.url}" if server.url else ""
        named = f" ({server.name})" if server.name not in ("", server.url) else ""
        lines.append(f"  {server.model}{place}{named}: {server.problem or at_work}")
    lines.append(
        f"photos: {now.total} in all, {now.tagged} tagged, {now.queued} queued, "
        f"{now.working} in work, {now.not_written} not written, {now.failed} failed, "
        f"{now.missing} missing"
    )
    if now.photos_a_minute:
        rate = f"rate: {now.photos_a_minute:.1f} photos a minute"
        if now.eta_s is not None:
            rate += f", {_duration(now.eta_s)} left at that rate"
        lines.append(rate)
    return lines


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
