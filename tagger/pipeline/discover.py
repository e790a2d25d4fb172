"""Discover: tell the tracking database which photos are there, as scans find them.

The scan is the truth, and cheap. It is careful about absence: a folder that cannot be
reached, is on another disk than before, or is suddenly empty is called offline, and
nothing in it is held to be missing. Each photo belongs to the innermost folder around
it, whoever else may reach it.
"""

import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from tagger.errors import UsageError, shown
from tagger.pipeline.metadata import replacing
from tagger.pipeline.mirror import Mirrors
from tagger.pipeline.territory import Territory
from tagger.pipeline.walking import Walk, one_xmp, single, walk, walk_mirror
from tagger.records import Folder, WriteMode
from tagger.tracking import files, folders, places, sidecars
from tagger.tracking.database import Database
from tagger.tracking.files import ScanOutcome, Seen
from tagger.tracking.places import is_within
from tagger.tracking.roots import OUTSIDE, hold
from tagger.tracking.xmpscan import SeenXmp, XmpScan

log = logging.getLogger(__name__)

# How many known photos must be found before another disk is believed to be the old one.
DEVICE_SAMPLE = 50


class Scanner:
    """Looks through folders on behalf of one tagger process; any thread may use it."""

    def __init__(
        self,
        db: Database,
        *,
        data_dir: Path,
        settle_s: float,
        mirror_dir: Path | None = None,
        roots: Sequence[str] = (),
    ) -> None:
        self._db = db
        self._data_dir = data_dir
        self._settle_s = settle_s
        self._roots = tuple(roots)
        self.mirrors = Mirrors(
            db, common=mirror_dir or data_dir / "mirror", data_dir=data_dir
        )

    def keep_to_roots(self) -> None:
        """Leave alone what lies outside the roots, and take up what does no more.

        Whoever is about to work on photos asks for this first: a folder that is not
        active may never be looked through.
        """
        for folder in folders.every(self._db):
            if not hold(self._roots, folder.path):
                self._is_offline(folder)
            elif folder.offline == OUTSIDE:
                folders.set_offline(self._db, folder.id, None)

    def scan(self, folder: Folder, *, alone: bool = False) -> ScanOutcome | None:
        """Look through a folder; None if it is offline, which is then noted.

        `alone` says no other tagger is at work, so that temporary files of processes
        that are gone are left-overs of a kill and may go.
        """
        folders.scan_begins(self._db, folder.id)
        if self._is_offline(folder):
            return None
        known = files.stamps(self._db, folder.id)
        found = walk(self._territory(folder), known=known)
        # A disk that went away during the walk took along photos that are not missing.
        if self._is_offline(folder):
            return None
        mirrored = self._mirrored(folder)
        if alone:
            # Among photos that have a mirror nothing is touched, not even our own.
            is_mirrored = folder.write_mode is WriteMode.MIRROR
            _remove_strays(mirrored.strays if is_mirrored else found.strays)
        return files.apply_scan(
            self._db,
            folder.id,
            found.seen,
            unchanged=found.unchanged,
            unseen=list(found.known),
            unreadable=found.unreadable,
            settle_s=self._settle_s,
            xmps=XmpScan(
                seen=[*found.xmps, *mirrored.xmps],
                unknown=[*found.unreadable, *mirrored.unreadable],
                mirror=self._pair(folder),
            ),
        )

    def _pair(self, folder: Folder) -> tuple[bytes, bytes] | None:
        if folder.write_mode is not WriteMode.MIRROR:
            return None
        return folder.path, self.mirrors.tree(folder)

    def _mirrored(self, folder: Folder) -> Walk:
        """What is in the folder's mirror; where it is away all of it is unreadable."""
        tree = self.mirrors.tree(folder)
        is_mirrored = folder.write_mode is WriteMode.MIRROR
        if not is_mirrored and not sidecars.any_below(self._db, tree):
            return Walk()
        if self.mirrors.away(tree, folder):
            return Walk(unreadable=[tree] if is_mirrored else [])
        return self._named(folder, walk_mirror(tree, recursive=folder.recursive))

    def _named(self, folder: Folder, found: Walk) -> Walk:
        """Each sidecar of a mirror with its photo's place, where that mode is on."""
        is_mirrored = folder.write_mode is WriteMode.MIRROR
        found.xmps = [
            replace(
                one,
                beside=self.mirrors.photo(one.path, folder) if is_mirrored else None,
            )
            for one in found.xmps
        ]
        return found

    def look_at(self, folder: Folder, paths: Sequence[bytes]) -> ScanOutcome | None:
        """Look at a few files and subfolders only: what a watcher hinted at."""
        if folder.offline:
            return self.scan(folder)
        territory = self._territory(folder)
        tree = self.mirrors.tree(folder)
        mirrored = {path for path in paths if is_within(path, tree)}
        within = [
            *(
                path
                for path in paths
                if territory.covers(path) and path not in mirrored
            ),
            *(mirrored if not self.mirrors.away(tree, folder) else []),
        ]
        if not within or self._is_offline(folder):
            return None
        seen: dict[bytes, Seen] = {}
        xmps: dict[bytes, SeenXmp] = {}
        unreadable: list[bytes] = []
        for path in within:
            is_folder = os.path.isdir(path)
            if path in mirrored:
                found = (
                    walk_mirror(path, recursive=True) if is_folder else one_xmp(path)
                )
                found = self._named(folder, found)
            else:
                found = walk(territory, path) if is_folder else single(path, territory)
            seen |= {one.path: one for one in found.seen}
            xmps |= {one.path: one for one in found.xmps}
            unreadable += found.unreadable
        return files.apply_scan(
            self._db,
            folder.id,
            list(seen.values()),
            within=within,
            unreadable=unreadable,
            settle_s=self._settle_s,
            xmps=XmpScan(seen=list(xmps.values()), unknown=unreadable),
        )

    def look_again(self, folder_id: int, path: bytes) -> None:
        """See what is the matter with a photo that could not be opened."""
        try:
            folder = folders.get(self._db, folder_id)
        except UsageError:
            return  # taken out meanwhile
        self.look_at(folder, [path])

    def _territory(self, folder: Folder) -> Territory:
        return Territory(
            folder.path,
            recursive=folder.recursive,
            others=[o for o in folders.every(self._db) if o.id != folder.id],
            data_dir=self._data_dir,
            roots=self._roots,
        )

    def _is_offline(self, folder: Folder) -> bool:
        """Whether the folder cannot be looked through now; that is noted."""
        reason = self._why_offline(folder)
        if folders.set_offline(self._db, folder.id, reason) and reason:
            log.warning("%s is offline: %s", shown(folder.path), reason)
        return reason is not None

    def _why_offline(self, folder: Folder) -> str | None:
        if not hold(self._roots, folder.path):
            return OUTSIDE
        try:
            device = os.stat(folder.path).st_dev
            with os.scandir(folder.path) as entries:
                is_empty = next(entries, None) is None
        except FileNotFoundError:
            return "there is no such folder now; is its disk connected?"
        except OSError as error:
            return f"it cannot be read: {error.strerror}"
        known = folders.root_device(self._db, folder.id)
        if device != known:
            # Disks change their numbers from one start of the machine to the next.
            if known is not None and not self._still_there(folder):
                return "another disk is mounted there, without the photos known so far"
            folders.set_root_device(self._db, folder.id, device)
        if is_empty and places.present(self._db, folder.id, limit=1):
            return "it is suddenly empty; is its disk connected?"
        return None

    def _still_there(self, folder: Folder) -> bool:
        sample = places.present(self._db, folder.id, limit=DEVICE_SAMPLE)
        return not sample or any(os.path.exists(path) for path in sample)


def _remove_strays(directories: Iterable[bytes]) -> None:
    for directory in directories:
        try:
            for path in replacing.remove_stale(directory):
                log.info("removed a left-over temporary file: %s", shown(path))
        except OSError as error:
            log.warning(
                "%s: left-overs cannot be removed: %s",
                shown(directory),
                error.strerror,
            )
