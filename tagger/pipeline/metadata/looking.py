"""A photo as it is found: its stat, its sidecar, and what exiftool sees in both."""

import errno
import os
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from tagger.pipeline.metadata import editing, merging, sidecar
from tagger.pipeline.metadata.exiftool import Exiftool
from tagger.pipeline.metadata.reading import Dump
from tagger.pipeline.metadata.replacing import Refused
from tagger.records import FileWords

LINE_BREAK = "its path contains a line break, which exiftool could take for a command"


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo and its sidecar as they were found.

    `place` is where the sidecar was looked for, `sidecar` where links lead from there.
    `others`, by path, are read besides; none of them is ever written.
    """

    path: bytes
    found: os.stat_result
    dump: Dump
    place: bytes
    sidecar: bytes
    sidecar_found: os.stat_result | None
    sidecar_dump: Dump | None
    others: Mapping[bytes, Dump] = field(default_factory=dict)

    @property
    def around(self) -> list[Dump]:
        """What other sidecars than the one that may be written hold."""
        return [dump for dump in self.others.values() if sidecar.is_usable(dump)]

    def words(
        self, *, photo: Dump | None = None, beside: Dump | None = None
    ) -> FileWords:
        """The words in all of them; what a write left in one of them goes before."""
        own = beside or self.sidecar_dump
        dumps = ({self.place: own} if own else {}) | {**self.others}
        found = {path: dump for path, dump in dumps.items() if sidecar.is_usable(dump)}
        # One that was just deleted is empty, and that is known.
        damaged = tuple(p for p, d in dumps.items() if p not in found and d != beside)
        return replace(merging.words(photo or self.dump, found), damaged=damaged)

    @property
    def has_mirror(self) -> bool:
        """Whether the sidecar's place is in a folder of its own."""
        return os.path.dirname(self.sidecar) != os.path.dirname(self.path)


def look(
    exiftool: Exiftool,
    path: bytes,
    what: Sequence[bytes],
    *,
    beside: bytes | None,
    others: Sequence[bytes] = (),
) -> Photo:
    """Find the photo and its sidecars, through links, and what all of them hold.

    `beside` is the path of the sidecar if it is not the usual one, `others` those that
    are read besides.
    """
    photo = os.path.realpath(path)
    place = beside or sidecar.path_for(photo)
    real = os.path.realpath(place)
    if re.search(rb"[\r\n]", b"".join([photo, real, *others])):
        raise Refused(LINE_BREAK)
    found, beside_found = os.stat(photo), _stat_or_none(real)
    more = [one for one in others if one != place and _is_file(_stat_or_none(one))]
    wanted = [real, *more] if _is_file(beside_found) else more
    dumps = iter(editing.dumps(exiftool, [photo, *wanted], what))
    dump = next(dumps)
    sidecars = {
        one: sidecar.checked(one, seen) for one, seen in zip(wanted, dumps, strict=True)
    }
    own = sidecars.pop(real, None) if _is_file(beside_found) else None
    return Photo(photo, found, dump, place, real, beside_found, own, sidecars)


def _is_file(found: os.stat_result | None) -> bool:
    return found is not None and stat.S_ISREG(found.st_mode)


def _stat_or_none(path: bytes) -> os.stat_result | None:
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return None
        raise
