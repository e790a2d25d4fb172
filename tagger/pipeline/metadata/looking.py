"""A photo as it is found: its stat, its sidecar, and what exiftool sees in both."""

import errno
import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass

from tagger.pipeline.metadata import editing, sidecar
from tagger.pipeline.metadata.exiftool import Exiftool
from tagger.pipeline.metadata.reading import Dump
from tagger.pipeline.metadata.replacing import Refused

LINE_BREAK = "its path contains a line break, which exiftool could take for a command"


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo and its sidecar as they were found."""

    path: bytes
    found: os.stat_result
    dump: Dump
    sidecar: bytes
    sidecar_found: os.stat_result | None
    sidecar_dump: Dump | None

    @property
    def has_mirror(self) -> bool:
        """Whether the sidecar's place is in a folder of its own."""
        return os.path.dirname(self.sidecar) != os.path.dirname(self.path)


def look(
    exiftool: Exiftool, path: bytes, what: Sequence[bytes], *, beside: bytes | None
) -> Photo:
    """Find the photo and its sidecar, through links, and what both hold.

    `beside` is the path of the sidecar if it is not the usual one.
    """
    photo = os.path.realpath(path)
    beside = os.path.realpath(beside or sidecar.path_for(photo))
    if re.search(rb"[\r\n]", photo + beside):
        raise Refused(LINE_BREAK)
    found, beside_found = os.stat(photo), _stat_or_none(beside)
    paths = [photo]
    if beside_found and stat.S_ISREG(beside_found.st_mode):
        paths.append(beside)
    dumps = editing.dumps(exiftool, paths, what)
    other = dumps[1] if len(dumps) > 1 else None
    return Photo(photo, found, dumps[0], beside, beside_found, other)


def _stat_or_none(path: bytes) -> os.stat_result | None:
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return None
        raise
