"""Tagging: the `tag PATH…` command's work. It tags what is named, and ends.

The photos join the same queue as everything else, bound to this command, so that it
works whether or not a long-running tagger is there, and a kill leaves nothing behind
that the next run would not finish.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

from tagger.config import Config
from tagger.errors import DataFull, ModelUnavailable, UsageError, shown
from tagger.pipeline import recover
from tagger.pipeline.flow import Flow
from tagger.pipeline.homes import covering, new_mode
from tagger.pipeline.stages import Observer
from tagger.pipeline.territory import Territory
from tagger.pipeline.walking import is_photo, walk
from tagger.pipeline.workshop import Workshop, opened
from tagger.records import ImageSnapshot, ImageState, StatKey, WriteMode
from tagger.tracking import bound, folders, jobs, places, runs, snapshots
from tagger.tracking.database import Database
from tagger.tracking.usable import checked
from tagger.vision.choose import Choice

log = logging.getLogger(__name__)

TICK_S = 0.1
# While another command does the rest.
WAIT_S = 1.0
REPORT_S = 2.0

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagging:
    """What came of it. `untouched` photos were done before; `stopped` by the user."""

    images: tuple[ImageSnapshot, ...]
    untouched: int
    seconds: float
    gave_up: ModelUnavailable | None = None
    stopped: bool = False

    @property
    def failed(self) -> list[ImageSnapshot]:
        """The photos that could not be finished, each with its reason."""
        bad = (ImageState.FAILED, ImageState.NOT_WRITTEN)
        return [image for image in self.images if image.state in bad]


def tag(
    config: Config,
    paths: Sequence[bytes],
    choice: Choice,
    *,
    write_mode: WriteMode | None = None,
    retag: bool = False,
    limit: int | None = None,
    progress: Progress = lambda done, total: None,
    stop: threading.Event | None = None,
    observer: Observer | None = None,
    lease_s: float = jobs.LEASE_S,
) -> Tagging:
    """Tag the photos at or below `paths`, and wait until that is done.

    A path outside every known folder is added as one that is not watched. Raises
    `UsageError` for a path that cannot be used.
    """
    began = time.monotonic()
    stop = stop or threading.Event()
    with closing(choice), opened(config) as workshop:
        db = workshop.db
        real = [checked_place(path, config) for path in paths]
        run_id = runs.begin(db, "tag")
        try:
            alone = recover.at_start(db)
            for path in real:
                discover(workshop, path, write_mode=write_mode, alone=alone)
            if problem := workshop.exiftool_problem():
                log.warning("%s", problem)
            ids = bound.bind(db, run_id, real, limit=limit, ask_again=retag)
            known = places.count_below(db, real)
            found = places.paths(db, ids)
            flow = workshop.flow(
                choice.members,
                run_id=run_id,
                patient=False,
                observer=observer,
                lease_s=lease_s,
            )
            try:
                _work(db, flow, run_id, ids, choice, progress, stop)
            finally:
                flow.close()
        finally:
            runs.end(db, run_id)
        return Tagging(
            # By path: a photo that had been moved here goes by its old id by now.
            images=tuple(snapshots.images(db, [*ids, *places.ids(db, found)])),
            untouched=known - len(ids),
            seconds=time.monotonic() - began,
            gave_up=flow.gave_up,
            stopped=stop.is_set(),
        )


def checked_place(path: bytes, config: Config) -> bytes:
    """The real path of a photo or folder; `UsageError` if it cannot be used."""
    real = os.path.realpath(os.path.abspath(path))
    if os.path.isfile(real):
        if not is_photo(os.path.basename(real)):
            raise UsageError(f"{shown(path)} is not a photo of a known format")
        path = os.path.dirname(real)
        checked(path, data_dir=config.data_dir, roots=config.library.roots)
        return real
    return checked(path, data_dir=config.data_dir, roots=config.library.roots)


def discover(
    workshop: Workshop,
    path: bytes,
    *,
    write_mode: WriteMode | None = None,
    alone: bool,
) -> None:
    """See that the photos at `path` are known, in a folder that is."""
    db = workshop.db
    folder = covering(folders.every(db), path)
    if folder is None:
        single = os.path.isfile(path)
        folder = folders.add(
            db,
            os.path.dirname(path) if single else path,
            recursive=not single,
            write_mode=write_mode or new_mode(workshop.besides.where, path),
            active=False,
            made_by_tag=True,
            data_dir=workshop.config.data_dir,
            roots=workshop.config.library.roots,
        )
    elif write_mode is not None and write_mode is not folder.write_mode:
        folders.set_write_mode(db, folder.id, write_mode)
    if folder.path == path:
        if not folder.recursive and folders.is_made_by_tag(db, folder.id):
            folders.set_recursive(db, folder.id)  # was made for single files so far
        workshop.scanner.scan(folders.get(db, folder.id), alone=alone)
    else:
        workshop.scanner.look_at(folder, [path])


def _work(
    db: Database,
    flow: Flow,
    run_id: int,
    ids: Sequence[int],
    choice: Choice,
    progress: Progress,
    stop: threading.Event,
) -> None:
    """Turn until every photo of this command is done, or nothing more can be."""
    reported = 0.0
    mine, elsewhere = frozenset(ids), 0
    while not stop.is_set() and flow.gave_up is None:
        flow.tick(run_id=run_id)
        progress(len(ids) - bound.count(db, run_id) - elsewhere, len(ids))
        if flow.is_done(run_id):
            elsewhere = _left_to_others(db, run_id, mine)
            if not elsewhere:
                return
        if time.monotonic() - reported > REPORT_S:
            reported = time.monotonic()
            _report(db, flow, run_id, choice)
        stop.wait(WAIT_S if elsewhere else TICK_S)


def _left_to_others(db: Database, run_id: int, mine: frozenset[int]) -> int:
    """How many photos a later command on the same place took; it is waited for.

    What one that has ended had not done is ours again.
    """
    waiting = 0
    for other, ids in bound.taken_by(db, run_id, mine).items():
        waiting += len(ids)
        if not runs.is_alive(db, other):
            bound.take_over(db, run_id, ids, of=other)
    return waiting


def _report(db: Database, flow: Flow, run_id: int, choice: Choice) -> None:
    try:
        runs.report(
            db,
            run_id,
            state="paused" if flow.room.problem else "working",
            message=flow.room.problem,
            backend=choice.reason,
            servers=flow.reports(),
        )
    except DataFull as error:
        flow.room.is_out(error)


def plan(
    config: Config, paths: Sequence[bytes], *, retag: bool, limit: int | None
) -> list[bytes]:
    """The photos `tag` would work on, by path; nothing is changed or recorded."""
    seen = photos_at(config, paths)
    done = set()
    if not retag and Database.is_there(config):
        with Database.of(config) as db:
            done = places.unchanged_and_tagged(db, seen)
    return sorted(path for path in seen if path not in done)[:limit]


def _territory(path: bytes, config: Config) -> Territory:
    return Territory(
        path,
        recursive=True,
        data_dir=config.data_dir,
        roots=config.library.roots,
    )


def photos_at(config: Config, paths: Sequence[bytes]) -> dict[bytes, StatKey]:
    """The photos at or below `paths` as they stand now; nothing is recorded."""
    seen: dict[bytes, StatKey] = {}
    for path in [checked_place(path, config) for path in paths]:
        if os.path.isfile(path):
            seen[path] = StatKey.of(os.stat(path))
            continue
        found = walk(_territory(path, config))
        seen |= {one.path: one.stat for one in found.seen}
    return seen
