"""Browsing: the directories of this machine below allowed roots, and nowhere else.

What is asked for and what is listed are resolved first, links included, and then have
to lie in one of `library.roots`: what is offered is what can be added. Without roots
nothing is listed at all. A path is handed around percent-encoded, because names on
disks need not be text.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote_from_bytes, unquote_to_bytes

from tagger.errors import UsageError, shown
from tagger.tracking import roots
from tagger.tracking.places import is_within

# Of a directory with more in it, so many entries are looked at, and listed.
MOST_READ, MOST_LISTED = 20_000, 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """A directory that can be gone into, or `problem` says why not."""

    at: str
    name: str
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What lies directly in a directory; `path` is None for the list of the roots.

    `above` are the directories around it, the root first. `note` says what is not
    listed.
    """

    path: bytes | None
    above: tuple[Directory, ...]
    inside: tuple[Directory, ...]
    note: str | None = None


def path_of(at: str) -> bytes:
    """The path that an encoded one stands for."""
    return unquote_to_bytes(at.encode("utf-8", "surrogateescape"))


def encoded(path: bytes) -> str:
    return quote_from_bytes(path, safe="/ ")


def listing(named: Sequence[str], at: str = "") -> Listing:
    """The directories in `at`; those that may be browsed if it is empty.

    Raises `UsageError` where nothing may be browsed, for what lies outside the roots,
    and for what cannot be read.
    """
    allowed = roots.real(named)
    if not allowed:
        raise UsageError(
            f"no folder may be browsed: name some in {roots.SETTING} of config.toml"
        )
    if not at:
        return Listing(path=None, above=(), inside=tuple(map(_root, allowed)))
    real = _allowed(path_of(at), allowed)
    found, note = _inside(real, allowed)
    return Listing(
        path=real,
        above=tuple(_above(real, allowed)),
        inside=tuple(sorted(found, key=lambda one: one.name.casefold())),
        note=note,
    )


def _root(root: bytes) -> Directory:
    return Directory(at=encoded(root), name=shown(root), problem=_problem(root))


def _allowed(path: bytes, allowed: Sequence[bytes]) -> bytes:
    """The real path. A path outside is refused alike, whether there is one or not."""
    real = b"" if b"\0" in path else os.path.realpath(path)
    if not path.startswith(b"/") or not any(is_within(real, one) for one in allowed):
        raise UsageError(f"{shown(path)} is in none of the folders of {roots.SETTING}")
    return real


def _above(real: bytes, allowed: Sequence[bytes]) -> Iterator[Directory]:
    """From the outermost root to the directory itself."""
    chain = [real]
    while chain[-1] != b"/":
        chain.append(os.path.dirname(chain[-1]))
    inside = [one for one in chain if any(is_within(one, root) for root in allowed)]
    for number, one in enumerate(reversed(inside)):
        name = os.path.basename(one) if number else one
        yield Directory(at=encoded(one), name=shown(name))


def _inside(
    real: bytes, allowed: Sequence[bytes]
) -> tuple[list[Directory], str | None]:
    found: list[Directory] = []
    try:
        with os.scandir(real) as entries:
            for read, entry in enumerate(entries):
                if read == MOST_READ or len(found) == MOST_LISTED:
                    return found, (
                        f"There is more in it: the first {len(found):,} folders met "
                        "are listed. Type the path of another one"
                    )
                if (one := _directory(entry, allowed)) is not None:
                    found.append(one)
    except OSError as error:
        reason = (error.strerror or "it cannot be opened").lower()
        raise UsageError(f"{shown(real)} cannot be read: {reason}") from error
    return found, None


def _directory(entry: os.DirEntry[bytes], allowed: Iterable[bytes]) -> Directory | None:
    """A directory to go into; None for what is none, is hidden, or leads outside."""
    if entry.name.startswith(b"."):
        return None
    try:
        if not entry.is_dir():
            return None
    except OSError:  # a link in a circle, or into what is gone
        return None
    path = entry.path
    if entry.is_symlink():
        path = os.path.realpath(path)
        if not any(is_within(path, one) for one in allowed):
            return None
    return Directory(at=encoded(path), name=shown(entry.name), problem=_problem(path))


def _problem(path: bytes) -> str | None:
    if {*path} & {*b"\n\r"}:
        return "a path with a line break cannot be used"
    if not os.path.isdir(path):
        return "there is no such folder now"
    if not os.access(path, os.R_OK | os.X_OK):
        return "this program may not read it"
    return None
