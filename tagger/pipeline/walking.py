"""Walking: the photos of a folder, each once, in one pass with the stat of each.

A photo that is as it was when last seen is only counted: nothing is made of it. What
cannot be read is told from what is gone, because absence is believed only when it is
certain.
"""

import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from tagger.errors import shown
from tagger.imaging.formats import EXTENSIONS
from tagger.pipeline.territory import Place, Territory
from tagger.records import StatKey
from tagger.tracking.files import Seen
from tagger.tracking.places import is_within
from tagger.tracking.xmpscan import SeenXmp

log = logging.getLogger(__name__)

OWN_TEMPORARY = b".tagger-"
SUFFIXES = tuple(os.fsencode(extension) for extension in EXTENSIONS)
# The endings of sidecars that `whereabouts` looks for; in a mirror only the first.
XMP = (b".xmp", b".XMP")


@dataclass(slots=True)
class Walk:
    """What one pass over a folder met. `strays` are folders with our temporaries.

    Besides those `seen`, so many were met `unchanged`. What is left in `known` was not
    met.
    """

    known: dict[bytes, int] = field(default_factory=dict)
    unchanged: int = 0
    directories: int = 0
    seen: list[Seen] = field(default_factory=list)
    xmps: list[SeenXmp] = field(default_factory=list)
    unreadable: list[bytes] = field(default_factory=list)
    strays: set[bytes] = field(default_factory=set)


def is_photo(name: bytes) -> bool:
    """Whether a name is a photo's: a known ending, neither hidden nor temporary."""
    lower = name.lower()
    return (
        lower.endswith(SUFFIXES)
        and not lower.startswith(b".")
        and not lower.endswith(b"_exiftool_tmp")
    )


def is_sidecar(name: bytes) -> bool:
    """Whether a name is a sidecar's, neither hidden nor temporary."""
    return name.endswith(XMP) and not name.startswith(b".")


def walk(
    territory: Territory,
    start: bytes | None = None,
    *,
    known: dict[bytes, int] | None = None,
) -> Walk:
    """List the photos of a territory, each once, whatever links lead to it.

    `start` is a place in it to begin at, instead of its root. A link to a folder that
    holds the root is not followed: it would make everything there part of this folder.
    Photos that have the stamp they are `known` by are counted, not listed.
    """
    found = Walk(known={} if known is None else known)
    visited: set[Place] = set(territory.elsewhere)
    waiting = [territory.root if start is None else start]
    while waiting:
        directory = waiting.pop()
        try:
            with os.scandir(directory) as entries:
                if not _first_visit(directory, visited):
                    continue
                found.directories += 1
                below = _take(directory, entries, found, territory)
        except FileNotFoundError:
            continue  # removed since it was listed: its photos are missing
        except OSError as error:
            log.warning("%s cannot be read: %s", shown(directory), error.strerror)
            found.unreadable.append(directory)
            continue
        if territory.recursive:
            waiting += [path for path in below if territory.enters(path)]
    return found


def _first_visit(directory: bytes, visited: set[Place]) -> bool:
    stat = os.stat(directory)
    place = (stat.st_dev, stat.st_ino)
    if place in visited:
        return False
    visited.add(place)
    return True


def _take(
    directory: bytes,
    entries: Iterable[os.DirEntry[bytes]],
    found: Walk,
    territory: Territory,
) -> list[bytes]:
    """Note the photos of one directory; returns the folders below it."""
    below = []
    is_ours = territory.holds(directory)
    if is_ours and found.known:
        entries = _all_but_unchanged(entries, found)
    for entry in entries:
        if entry.name.startswith(OWN_TEMPORARY):
            found.strays.add(directory)
        if entry.name.startswith(b"."):
            continue
        try:
            if entry.is_dir():
                below += _way_into(entry, territory)
            elif is_photo(entry.name) and entry.is_file():
                _see(entry, found, territory, is_ours=is_ours)
            elif is_ours and is_sidecar(entry.name) and entry.is_file():
                stat = StatKey.of(entry.stat())
                found.xmps.append(SeenXmp(entry.path, stat, entry.path))
        except FileNotFoundError as error:  # gone since it was listed
            log.info("%s left out: %s", shown(entry.path), error.strerror)
        except OSError as error:
            log.warning("%s cannot be read: %s", shown(entry.path), error.strerror)
            found.unreadable.append(entry.path)
    return below


def _all_but_unchanged(
    entries: Iterable[os.DirEntry[bytes]], found: Walk
) -> list[os.DirEntry[bytes]]:
    """Take off those that are as they are known, at the least cost for each."""
    rest, unchanged, known = [], 0, found.known
    for entry in entries:
        path = entry.path
        stamp = known.pop(path, None)
        if stamp is None:
            rest.append(entry)
            continue
        try:
            stat = entry.stat(follow_symlinks=False)
        except OSError:
            stat = None  # said of it below, like of any other
        # `files.stamp`, spelt out: a call for each would take a third longer.
        if stat is not None and stamp == (
            stat.st_mtime_ns
            + 2 * stat.st_ctime_ns
            + stat.st_size
            + (stat.st_ino & 4294967295)
        ):
            unchanged += 1
        else:
            known[path] = stamp
            rest.append(entry)
    found.unchanged += unchanged
    return rest


def _way_into(entry: os.DirEntry[bytes], territory: Territory) -> list[bytes]:
    if not entry.is_symlink():
        return [entry.path]
    real = os.path.realpath(entry.path)
    return [] if is_within(territory.root, real) else [real]


def _see(
    entry: os.DirEntry[bytes], found: Walk, territory: Territory, *, is_ours: bool
) -> None:
    path = entry.path
    if entry.is_symlink():
        path = os.path.realpath(path)
        is_ours = territory.holds(os.path.dirname(path))
    if is_ours:
        found.seen.append(Seen(path, StatKey.of(entry.stat())))
        found.known.pop(path, None)


def single(path: bytes, territory: Territory) -> Walk:
    """A hint about one file: there with its stat, not there, or not to be told."""
    if not is_photo(os.path.basename(path)):
        return one_xmp(path)
    found = Walk()
    try:
        path = os.path.realpath(path) if os.path.islink(path) else path
        stat = os.stat(path)
        if os.path.isfile(path) and territory.holds(os.path.dirname(path)):
            found.seen.append(Seen(path, StatKey.of(stat)))
    except (FileNotFoundError, NotADirectoryError):
        return found
    except OSError as error:
        log.warning("%s cannot be read: %s", shown(path), error.strerror)
        found.unreadable.append(path)
    return found


def one_xmp(path: bytes) -> Walk:
    """A hint about one sidecar, likewise."""
    found = Walk()
    if is_sidecar(os.path.basename(path)):
        _see_xmp(path, found)
    return found


def _see_xmp(path: bytes, found: Walk) -> None:
    try:
        stat = os.stat(path)
        if os.path.isfile(path):
            found.xmps.append(SeenXmp(path, StatKey.of(stat), path))
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        log.warning("%s cannot be read: %s", shown(path), error.strerror)
        found.unreadable.append(path)


def walk_mirror(tree: bytes, *, recursive: bool) -> Walk:
    """List the sidecars in a mirror; links in it lead nowhere."""
    found = Walk()
    waiting = [tree]
    while waiting:
        directory = waiting.pop()
        try:
            with os.scandir(directory) as entries:
                for entry in entries:
                    if entry.name.startswith(OWN_TEMPORARY):
                        found.strays.add(directory)
                    elif is_sidecar(entry.name) and entry.name.endswith(XMP[0]):
                        _see_xmp(entry.path, found)
                    elif recursive and entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            log.warning("%s cannot be read: %s", shown(directory), error.strerror)
            found.unreadable.append(directory)
    return found
