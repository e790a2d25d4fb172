"""At rest: whether a file is there, and whether nobody is still writing it.

Reading a photo that is still being copied finds half of it; replacing one destroys it,
for the copier goes on into a file that has lost its name.
"""

import contextlib
import errno
import fcntl
import os
import signal
import time

from tagger.errors import FileChanged, UnreadableImage
from tagger.records import StatKey
from tagger.tracking.jobs import Job

# A file touched this lately may still be arriving, even if it stood still for a while.
ARRIVING_S = 20.0
# One that nobody touched for longer is not being copied, whoever holds it open.
COPIED_S = 120.0


class OutOfReach(UnreadableImage):
    """The file is gone, or its disk is: it is not to blame until that is certain."""


def stat_key(job: Job) -> StatKey:
    """The file's stat key now. Raises `OutOfReach`, or `UnreadableImage`."""
    if b"\n" in job.path or b"\r" in job.path:
        raise UnreadableImage(
            job.path, "its path contains a line break; rename it to have it tagged"
        )
    try:
        return StatKey.of(os.stat(job.path))
    except (FileNotFoundError, NotADirectoryError):
        raise OutOfReach(job.path, "the file is gone") from None
    except OSError as error:
        raise OutOfReach(job.path, f"cannot be read: {error.strerror}") from error


def check(job: Job, stat: StatKey, *, settle_s: float) -> None:
    """Raise `FileChanged` if the file is not at rest yet."""
    if stat != job.stat and 0 <= _age_s(stat) < settle_s:
        raise FileChanged(job.path, "it is still being written")
    check_unopened(job, stat)


def check_unopened(job: Job, stat: StatKey) -> None:
    """Raise `FileChanged` if another program is about to write to the file."""
    if 0 <= _age_s(stat) < COPIED_S and _is_open_for_writing(job.path):
        raise FileChanged(job.path, "another program is still writing it")


def check_sidecar(photo: bytes, path: bytes, stat: StatKey, *, settle_s: float) -> None:
    """Raise `FileChanged` if somebody is still writing a sidecar of the photo."""
    if 0 <= _age_s(stat) < settle_s:
        raise FileChanged(photo, "its sidecar is still being written")
    if 0 <= _age_s(stat) < COPIED_S and _is_open_for_writing(path):
        raise FileChanged(photo, "another program is still writing its sidecar")


def is_arriving(job: Job) -> bool:
    """Whether a file that does not decode may do so once it is complete."""
    try:
        return 0 <= _age_s(StatKey.of(os.stat(job.path))) < ARRIVING_S
    except OSError:
        return False


def _age_s(stat: StatKey) -> float:
    return time.time() - max(stat.mtime_ns, stat.ctime_ns) / 1e9


def _is_open_for_writing(path: bytes) -> bool:
    """Whether somebody has the file open to write, where the system can tell.

    Linux grants a read lease only on a file that nobody has open for writing.
    """
    if not hasattr(fcntl, "F_SETLEASE"):
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        # Should somebody open it right now, the system tells us; by default with a
        # signal that would end us, so by one that does nothing.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    else:
        with contextlib.suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        return False
    finally:
        os.close(descriptor)
