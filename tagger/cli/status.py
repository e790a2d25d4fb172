"""The `status` and `costs` commands."""

import time
from argparse import Namespace
from typing import Any

from tagger.cli import output
from tagger.config import Config
from tagger.errors import shown
from tagger.records import ServerReport, Status
from tagger.tracking import costs as tracking_costs
from tagger.tracking import folders, snapshots, waiting
from tagger.tracking import status as tracking_status
from tagger.tracking.database import Database

LAST_ERRORS = 5
COSTS = (
    *("server", "photos", "s looking", "s waiting", "s asking", "s writing"),
    *("tokens in", "tokens out"),
)


def status(options: Namespace, config: Config) -> int:
    """Show where the queue stands, who is asked, and what went wrong last."""
    with Database.of(config) as db:
        now = tracking_status.read(db)
        apart = _waiting(db, config)
        errors = [
            {"file": image.shown_path, "state": image.state, "reason": image.reason}
            for image in snapshots.troubled(db, limit=LAST_ERRORS)
        ]
    if options.json:
        output.data({"status": now, "last_errors": errors, "waiting": apart})
        return 0
    for text in _lines(now):
        output.line(text)
    for one in apart:
        output.line(f"  {one['folder']}: {one['photos']} photos; it {one['until']}")
    for error in errors:
        output.line(f"  {error['file']}: {error['state']}: {error['reason']}")
    return 0


def _waiting(db: Database, config: Config) -> list[dict[str, Any]]:
    """The folders with photos in the queue whose own hours it is not."""
    queued = {place.folder_id: place.waiting for place in waiting.by_folder(db)}
    found = []
    for folder in folders.every(db):
        until = waiting.until(folder, config.schedule) if folder.hours else None
        if until and queued.get(folder.id):
            row = {"folder": shown(folder.path), "photos": queued[folder.id]}
            found.append({**row, "until": until})
    return found


def _lines(now: Status) -> list[str]:
    lines = [f"tagger: {now.state}" + (f" ({now.message})" if now.message else "")]
    if now.backend:
        lines.append(f"model: {now.backend}")
    lines += [f"  {_server(server)}" for server in now.servers]
    lines.append(
        f"photos: {now.total} in all, {now.tagged} tagged, {now.queued} queued, "
        f"{now.working} in work, {now.not_written} not written, {now.failed} failed, "
        f"{now.missing} missing, {now.new} not in the queue, {now.review} to review"
    )
    if now.eta_s is not None:
        lines.append(f"time left: {_duration(now.eta_s)}, {now.eta_basis}")
    elif now.photos_a_minute:
        lines.append(f"rate: {now.photos_a_minute:.1f} photos a minute")
    return lines


def _server(server: ServerReport) -> str:
    place = f" on {server.url}" if server.url else ""
    if server.name not in ("", server.url):
        place += f" ({server.name})"
    if server.problem:
        return f"{server.model}{place}: {server.problem}"
    parts = [
        f"{server.busy} of {server.places} places busy",
        f"{server.answered} answered",
    ]
    if server.photos_a_minute:
        parts.append(f"{server.photos_a_minute:.1f} a minute")
    if server.median_s is not None:
        parts.append(f"{server.median_s:.1f} s an answer")
    if server.median_wait_s is not None:
        parts.append(f"{server.median_wait_s:.1f} s waiting for a place")
    if server.tokens_in or server.tokens_out:
        parts.append(
            f"{server.tokens_in:,} tokens in and {server.tokens_out:,} out in 5 minutes"
        )
    return f"{server.model}{place}: {', '.join(parts)}"


def costs(options: Namespace, config: Config) -> int:
    """Show what photos took lately: seconds in each step, and tokens, by server."""
    since_s = time.time() - options.hours * 3600
    with Database.of(config) as db:
        rows = tracking_costs.spent(db, since_s=since_s)
    if options.json:
        output.data({"hours": options.hours, "servers": rows})
        return 0
    if not rows:
        output.problem(f"no model was asked in the last {options.hours:g} hours")
        return 0
    output.table(
        COSTS,
        [
            (
                f"{one.model} on {one.server}" if one.server else one.model,
                one.photos,
                *(
                    f"{spent_s / one.photos:.2f}"
                    for spent_s in (
                        one.looking_s,
                        one.waiting_s,
                        one.asking_s,
                        one.writing_s,
                    )
                ),
                one.tokens_in,
                one.tokens_out,
            )
            for one in rows
        ],
    )
    return 0


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
