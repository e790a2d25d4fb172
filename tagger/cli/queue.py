"""The `queue` command: what waits, and what people want of it."""

import os
from argparse import Namespace
from collections.abc import Sequence

from tagger.cli import output
from tagger.config import Config
from tagger.errors import UsageError, shown
from tagger.tracking import (
    cancelling,
    controls,
    places,
    reasons,
    status,
    waiting,
)
from tagger.tracking.database import Database
from tagger.tracking.reasons import Group

NEXT_SHOWN = 10


def show(options: Namespace, config: Config) -> int:
    """Show where the queue stands, what comes next, and what failed."""
    schedule = config.schedule
    with Database.of(config) as db:
        now, wanted = status.read(db), controls.read(db)
        folders = waiting.by_folder(db)
        newest_first = schedule.order == "newest"
        upcoming = waiting.upcoming(db, limit=NEXT_SHOWN, newest_first=newest_first)
        groups = reasons.groups(db)
    if options.json:
        output.data(
            {
                "status": now,
                "paused_at": wanted.paused_at,
                "first": wanted.first,
                "schedule": schedule.model_dump(),
                "folders": folders,
                "next": upcoming,
                "reasons": groups,
            }
        )
        return 0
    said = f" ({now.message})" if now.message else ""
    output.line(f"tagger: {now.state}{said}")
    photos = output.count(now.queued, "photo")
    output.line(
        f"{photos} waiting, {now.working} in work, {now.new} not in the queue, "
        f"{'newest first' if newest_first else 'first come, first served'}"
    )
    if wanted.first is not None:
        output.line(f"first: {shown(wanted.first)}")
    if schedule.window:
        output.line(f"hours: {schedule.window} {schedule.timezone}".rstrip())
    if schedule.photos_a_day:
        output.line(f"limit: {schedule.photos_a_day} photos a day")
    _tables(folders, upcoming, groups)
    return 0


def _tables(
    folders: Sequence[waiting.Place],
    upcoming: Sequence[waiting.Next],
    groups: Sequence[Group],
) -> None:
    if folders:
        output.line("")
        output.table(
            ("folder", "waiting", "not in the queue", ""),
            [
                (shown(place.path), place.waiting, place.new, _why_not(place))
                for place in folders
            ],
        )
    if upcoming:
        output.line("")
        output.table(
            ("next", ""),
            [
                (shown(one.path), "now" if one.now else "first" if one.first else "")
                for one in upcoming
            ],
        )
    if groups:
        output.line("")
        output.table(
            ("photos", "state", "why"),
            [(group.photos, group.state, group.reason) for group in groups],
        )


def _why_not(place: waiting.Place) -> str:
    if place.offline:
        return f"offline: {place.offline}"
    return "" if place.active else "switched off"


def pause(options: Namespace, config: Config) -> int:
    """Let the queue rest until it is resumed."""
    with Database.of(config) as db:
        wanted = controls.pause(db)
    if options.json:
        output.data({"paused_at": wanted.paused_at})
    else:
        output.line(wanted.pause or "")
    return 0


def resume(options: Namespace, config: Config) -> int:
    """Let the queue go on."""
    with Database.of(config) as db:
        was_paused = controls.resume(db)
    if options.json:
        output.data({"paused_at": None, "was_paused": was_paused})
    else:
        output.line("the queue goes on" if was_paused else "the queue was not paused")
    return 0


def cancel(options: Namespace, config: Config) -> int:
    """Take waiting photos out of the queue."""
    with Database.of(config) as db:
        count = cancelling.cancel(db, _place(options))
    return _counted(
        options, count, "taken out of the queue; `queue add` puts them back"
    )


def add(options: Namespace, config: Config) -> int:
    """Put photos that are in no queue back into it."""
    with Database.of(config) as db:
        count = cancelling.put_back(db, _place(options))
    return _counted(options, count, "queued again")


def first(options: Namespace, config: Config) -> int:
    """Let the photos of one folder go first, now and later."""
    if (options.place is None) is not options.none:
        raise UsageError("name a folder, or say --none")
    with Database.of(config) as db:
        count = controls.put_first(db, None if options.none else _real(options.place))
    if options.none and not options.json:
        output.line("no folder goes first any more")
        return 0
    return _counted(options, count, "waiting there go first, and what comes later")


def now(options: Namespace, config: Config) -> int:
    """Let photos go ahead of everything, a pause included."""
    with Database.of(config) as db:
        ids = [_photo(db, path) for path in options.paths]
        count = controls.want_now(db, ids, ask_again=options.retag)
    if not count and not options.json:
        output.line("done before; --retag asks again")
        return 0
    return _counted(options, count, "next in line")


def retry(options: Namespace, config: Config) -> int:
    """Queue failed photos again: all, or those with one kind of reason."""
    with Database.of(config) as db:
        if options.reason is None:
            return _counted(options, reasons.retry(db), "queued again")
        groups = reasons.groups(db)
        text = options.reason.casefold()
        kinds = {
            group.kind
            for group in groups
            if text in group.kind.casefold() or text in group.reason.casefold()
        }
        if not kinds:
            raise UsageError(
                f"no photo failed for a reason with {options.reason!r} in it; "
                "`queue list` shows the reasons"
            )
        count = sum(reasons.retry(db, kind=kind) for kind in sorted(kinds))
    return _counted(options, count, "queued again")


def _counted(options: Namespace, count: int, done: str) -> int:
    if options.json:
        output.data({"count": count})
    else:
        output.line(f"{output.count(count, 'photo')} {done}")
    return 0


def _place(options: Namespace) -> bytes | None:
    return None if options.all else _real(options.place)


def _real(path: str) -> bytes:
    return os.path.realpath(os.fsencode(path))


def _photo(db: Database, path: str) -> int:
    real = _real(path)
    if os.path.isdir(real):
        raise UsageError(f"{shown(real)} is a folder; `queue first` lets it go first")
    if not (ids := places.ids(db, [real])):
        raise UsageError(
            f"{shown(real)} is not known yet; `python -m tagger tag` tags it at once"
        )
    return ids[0]
