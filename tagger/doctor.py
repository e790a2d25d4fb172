"""Doctor: what stands in the way of the program on this machine, and what to do.

It looks and changes nothing. Every finding has advice, unless all is well.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tagger.config import Config
from tagger.errors import TaggerError, shown
from tagger.records import ServerState
from tagger.tracking import bindings, folders
from tagger.tracking.database import Database
from tagger.tracking.filesystems import refuse_network_share
from tagger.tracking.roots import OUTSIDE
from tagger.vision import choose

# The oldest exiftool whose writing was tried on every format (Debian 12 has it).
TRIED_EXIFTOOL = 12.57
INOTIFY_LIMIT = Path("/proc/sys/fs/inotify/max_user_watches")
LOW_DISK_BYTES = 2 << 30
EXIFTOOL_ADVICE = (
    "install it: `sudo apt install libimage-exiftool-perl` on Debian and Ubuntu, "
    "`brew install exiftool` on a Mac; until then nothing is written into photos"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked."""

    name: str
    ok: bool
    found: str
    advice: str | None = None


def findings(
    config: Config,
    db: Database,
    *,
    differences: Callable[[], list[str]] | None = None,
) -> list[Finding]:
    """Check everything. `differences` compares the catalogue with tracking.

    Without it (another process has the catalogue open) that check is left out.
    """
    found = [
        exiftool(config.metadata.exiftool),
        *servers(config),
        *watches(db),
        disk(config.data_dir),
        data_folder(config.data_dir),
        *offline(db),
        *bound(config, db),
    ]
    if differences is not None:
        found.append(catalogue(differences()))
    return found


def exiftool(program: str) -> Finding:
    """Is exiftool there, and new enough?"""
    try:
        answer = subprocess.run(
            [program, "-ver"], capture_output=True, text=True, timeout=20, check=True
        )
    except FileNotFoundError:
        found = "not installed" if program == "exiftool" else f"no file {program}"
        return Finding("exiftool", False, found, EXIFTOOL_ADVICE)
    except (OSError, subprocess.SubprocessError) as error:
        advice = (
            f"try `{program} -ver` in a terminal, or let metadata.exiftool name "
            "another one; until then nothing is written into photos"
        )
        return Finding("exiftool", False, _not_run(error), advice)
    version = answer.stdout.strip()
    try:
        old = float(version) < TRIED_EXIFTOOL
    except ValueError:
        return Finding(
            "exiftool",
            False,
            f"{program} says {version!r}, which is no exiftool version",
            "let metadata.exiftool name the real exiftool",
        )
    update = f"update it: writing was tried from {TRIED_EXIFTOOL} on" if old else None
    return Finding("exiftool", not old, f"version {version}", update)


def _not_run(error: OSError | subprocess.SubprocessError) -> str:
    if isinstance(error, subprocess.TimeoutExpired):
        return f"does not answer within {error.timeout:.0f} s"
    if isinstance(error, subprocess.CalledProcessError):
        said = error.stderr.strip().partition("\n")[0]
        return f"ends with code {error.returncode}" + (f": {said}" if said else "")
    return f"cannot be run: {error}"


def servers(config: Config) -> Iterator[Finding]:
    """Does each model server answer, have its model, and can that see?"""
    for state in choose.states(config):
        yield Finding(
            f"model server {state.url}",
            state.usable,
            _server_found(state),
            None if state.usable else _server_advice(state, config),
        )


def _server_found(state: ServerState) -> str:
    if not state.reachable:
        return (state.problem or "does not answer").removeprefix(f"{state.url} ")
    if not state.has_model:
        return f"answers, but does not have {state.model}"
    if state.can_see is False:
        return f"has {state.model}, which cannot look at pictures"
    return f"has {state.model}"


def _server_advice(state: ServerState, config: Config) -> str:
    if state.reachable:
        advice = state.problem or "see the server's own log"
    else:
        advice = "start it (Ollama: `ollama serve`), or correct servers.url"
    if config.model.backend == "auto":
        advice += "; meanwhile the built-in model is used"
    return advice


def watches(db: Database) -> Iterator[Finding]:
    """Is the kernel's limit of watched folders high enough for the active ones?"""
    try:
        limit = int(INOTIFY_LIMIT.read_text())
    except (OSError, ValueError):
        return  # not Linux: there is no such limit
    active = [f for f in folders.every(db) if f.active and not f.offline]
    count = sum(_directories(f.path) if f.recursive else 1 for f in active)
    enough = count < limit * 0.9
    advice = (
        f"raise it: `sudo sysctl fs.inotify.max_user_watches={max(count * 4, 65536)}`; "
        "until then new photos show up at the next scan"
    )
    yield Finding(
        "inotify limit",
        enough,
        f"{limit:,} watches allowed, {count:,} folders to watch",
        None if enough else advice,
    )


def _directories(root: bytes) -> int:
    return sum(1 for _ in os.walk(root))


def disk(data_dir: Path) -> Finding:
    """Is there room for records and thumbnails?"""
    free = shutil.disk_usage(_existing(data_dir)).free
    low = free < LOW_DISK_BYTES
    return Finding(
        "free disk",
        not low,
        f"{free / 1e9:.1f} GB free at {data_dir}",
        f"free some space there, or set TAGGER_DATA_DIR to another disk; "
        f"{LOW_DISK_BYTES / 1e9:.0f} GB is a sensible least"
        if low
        else None,
    )


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path


def data_folder(data_dir: Path) -> Finding:
    """Is the data folder on a disk SQLite can work on?"""
    try:
        refuse_network_share(data_dir)
    except TaggerError as error:
        return Finding("data folder", False, str(error), "use a local disk")
    return Finding("data folder", True, f"{data_dir} is on a local disk")


def offline(db: Database) -> Iterator[Finding]:
    """Which folders cannot be reached?"""
    for folder in folders.every(db):
        if folder.offline:
            yield Finding(
                f"folder {shown(folder.path)}",
                False,
                f"offline: {folder.offline}",
                "name a folder around it in library.roots, or take it out"
                if folder.offline == OUTSIDE
                else "connect its disk; its photos wait, nothing is forgotten",
            )


def bound(config: Config, db: Database) -> Iterator[Finding]:
    """Which folders are bound to a server that the settings have no more?"""
    for path, names in bindings.lost(db, config.server_names).items():
        yield Finding(
            f"folder {shown(path)}",
            False,
            f"bound to {' and '.join(names)}, which is no server of the settings",
            "name it there again (servers.name), or bind the folder anew: "
            "`python -m tagger folders set PATH --servers NAME`; its photos wait",
        )


def catalogue(differences: list[str]) -> Finding:
    """Does the catalogue say what tracking says?"""
    if not differences:
        return Finding("catalogue", True, "equal to the tracking database")
    more = f", and {len(differences) - 1} more" if len(differences) > 1 else ""
    return Finding(
        "catalogue",
        False,
        f"{differences[0]}{more}",
        "make it anew: `python -m tagger rebuild`",
    )
