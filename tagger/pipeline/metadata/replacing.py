"""Putting a finished copy in a file's place, so that no moment exists without either.

The copy is made under a name of its own beside the file, gets the file's permissions,
owner, attributes and times, reaches the disk, and only then takes the file's name,
unless the file is no longer what it was, or somebody is about to write to it.
"""

import contextlib
import errno
import fcntl
import os
import re
import signal
import socket
import stat
import time
import uuid
from collections.abc import Iterator

from blake3 import blake3

from tagger.errors import FileChanged, MetadataNotWritten
from tagger.records import StatKey

PREFIX = b".tagger-"
ROOM_FACTOR = 1.1
ROOM_BYTES = 16 << 20
STALE_S = 3600.0

# The names of the copies this process is making.
_IN_USE: set[bytes] = set()
_EXIFTOOLS = b"_exiftool_tmp"
_OUR_NAME = re.compile(
    rb"\.tagger-(?:([0-9a-f]{8})-)?(\d+)-[0-9a-f]{32}\.[a-z]+(?:_exiftool_tmp)?"
)
_HASH_BYTES = 1 << 20
_DISK_TROUBLE = {errno.ENOSPC, errno.EDQUOT, errno.EIO}


class Refused(Exception):
    """This file must not, or cannot, be replaced; the text is a clause saying why."""


@contextlib.contextmanager
def trouble(path: bytes) -> Iterator[None]:
    """What the operating system refuses, in the terms of `Writer`."""
    try:
        yield
    except FileNotFoundError:
        raise FileChanged(path, "it is gone, or its folder is") from None
    except OSError as error:
        if error.errno in _DISK_TROUBLE:
            raise MetadataNotWritten(path, clause(error)) from error
        raise Refused(clause(error)) from error


def clause(error: OSError) -> str:
    """What the operating system says, for the middle of a sentence."""
    text = error.strerror or "unknown reason"
    return f"the system says: {text[0].lower()}{text[1:]}"


def _here() -> bytes:
    """Where process ids mean what they mean here: this machine, or container of it."""
    try:
        ids = os.readlink("/proc/self/ns/pid")
    except OSError:  # a system without containers
        ids = ""
    place = os.fsencode(f"{socket.gethostname()} {ids}")
    return blake3(place).hexdigest()[:8].encode()


_HERE = _here()


@contextlib.contextmanager
def temporary_beside(target: bytes, *, suffix: bytes) -> Iterator[bytes]:
    """A path for the copy, in the target's folder; nothing stays there afterwards."""
    unique = b"%s-%d-%s" % (_HERE, os.getpid(), uuid.uuid4().hex.encode())
    name = PREFIX + unique + suffix
    path = os.path.join(os.path.dirname(target), name)
    _IN_USE.add(name)
    try:
        yield path
    finally:
        discard(path)
        _IN_USE.discard(name)


def discard(path: bytes) -> None:
    """Remove a temporary if it is there."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def remove_stale(folder: bytes) -> list[bytes]:
    """Remove what a killed tagger left in one folder; return what was removed."""
    left = stale(folder)
    for path in left:
        discard(path)
    return left


def stale(folder: bytes) -> list[bytes]:
    """What a killed tagger left in one folder, not what a living one is writing."""
    left = []
    with os.scandir(folder) as entries:
        for entry in entries:
            found = _OUR_NAME.fullmatch(entry.name)
            if not found or not entry.is_file(follow_symlinks=False):
                continue
            with contextlib.suppress(FileNotFoundError):  # just put in its place
                place, pid = found[1] or _HERE, int(found[2])
                if _is_stale(entry.name, place, pid, entry.stat()):
                    left.append(entry.path)
    return left


def _is_stale(name: bytes, place: bytes, pid: int, found: os.stat_result) -> bool:
    """Whether nobody makes it any more: its process is gone, or has given it up.

    A process that is gone may have had the number of another one of now. Of those of
    another machine or container only time tells.
    """
    if place == _HERE and pid == os.getpid():
        return name.removesuffix(_EXIFTOOLS) not in _IN_USE
    if time.time() - found.st_ctime > STALE_S:
        return True
    if place != _HERE:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def why_not(path: bytes, found: os.stat_result) -> str | None:
    """Why a file must not be replaced, or None."""
    if not stat.S_ISREG(found.st_mode):
        return "it is not an ordinary file"
    # Its owner may replace a read-only file all the same, and root any; we honour it.
    if not found.st_mode & stat.S_IWUSR or not os.access(path, os.W_OK):
        return "it is read-only"
    if found.st_nlink > 1:
        return "it has other hard links, which replacing it would cut off"
    if os.geteuid() not in (0, found.st_uid):
        return "it belongs to another user, which replacing it would change"
    return None


def check_folder(folder: bytes, size_bytes: int) -> None:
    """Raise `Refused` if the folder is read-only, `OSError` if its disk is full."""
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Refused("its folder is read-only")
    disk = os.statvfs(folder)
    if disk.f_bavail * disk.f_frsize < size_bytes * ROOM_FACTOR + ROOM_BYTES:
        raise OSError(errno.ENOSPC, "there is not enough room on its disk")
    # Some file systems count no files, and say 0 of 0.
    if disk.f_files and not disk.f_favail:
        raise OSError(errno.ENOSPC, "its disk has no room for one more file")


def copy_attributes(
    source: bytes, found: os.stat_result, copy: bytes, *, keep_time: bool
) -> None:
    """Give the copy the permissions, owner, extended attributes and times of a file."""
    made = os.stat(copy)
    if (made.st_uid, made.st_gid) != (found.st_uid, found.st_gid):
        try:
            os.chown(copy, found.st_uid, found.st_gid)
        except PermissionError:
            raise Refused("its owner or group could not be kept") from None
    os.chmod(copy, stat.S_IMODE(found.st_mode))
    if hasattr(os, "listxattr"):
        for name in os.listxattr(source):
            _copy_attribute(source, copy, os.fsencode(name))
    if keep_time:
        os.utime(copy, ns=(found.st_atime_ns, found.st_mtime_ns))


def _copy_attribute(source: bytes, copy: bytes, name: bytes) -> None:
    value = os.getxattr(source, name)
    try:
        os.setxattr(copy, name, value)
    except OSError:
        # The system gives new files its own security labels.
        if not name.startswith((b"security.", b"trusted.")):
            raise Refused("an extended attribute could not be kept") from None


def file_hash(path: bytes) -> str:
    """BLAKE3 of a whole file, in hex."""
    digest = blake3()
    with open(path, "rb") as file:
        while part := file.read(_HASH_BYTES):
            digest.update(part)
    return digest.hexdigest()


def to_disk(path: bytes) -> None:
    """Make sure that a file, or the names in a folder, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace(copy: bytes, target: bytes, *, expect: StatKey | None) -> StatKey:
    """Let the copy take the target's name; `expect` None: there is no target yet.

    Raises `FileChanged` if the target is not what it was, or is about to be.
    """
    check_alone(target)
    check_untouched(target, expect)
    os.replace(copy, target)
    to_disk(os.path.dirname(target))
    return StatKey.of(os.stat(target))


def delete(target: bytes, *, expect: StatKey) -> None:
    """Remove a file of ours; raises `FileChanged` as `replace` does."""
    check_alone(target)
    check_untouched(target, expect)
    os.unlink(target)
    to_disk(os.path.dirname(target))


@contextlib.contextmanager
def folder_for(path: bytes) -> Iterator[None]:
    """See that the folder of a new file exists; gone again if nothing comes of it."""
    missing: list[bytes] = []
    folder = os.path.dirname(path)
    while not os.path.lexists(folder):
        missing.append(folder)
        folder = os.path.dirname(folder)
    made: list[bytes] = []
    try:
        for folder in reversed(missing):
            with contextlib.suppress(FileExistsError):
                os.mkdir(folder)
                made.append(folder)
                to_disk(os.path.dirname(folder))
        yield
    except BaseException:
        for folder in reversed(made):
            with contextlib.suppress(OSError):
                os.rmdir(folder)
        raise


def check_untouched(target: bytes, expect: StatKey | None) -> None:
    """Raise `FileChanged` if the target is not what it was, or not absent as before."""
    try:
        found = StatKey.of(os.lstat(target))
    except FileNotFoundError:
        found = None
    if found != expect:
        raise FileChanged(target, "another program changed it while it was written")


def check_alone(target: bytes) -> None:
    """Raise `FileChanged` if somebody has the file open to write.

    What they write after the file was replaced would go into one without a name.
    """
    if is_open_for_writing(target):
        raise FileChanged(target, "another program has it open to write")


def is_open_for_writing(path: bytes) -> bool:
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
