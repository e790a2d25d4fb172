"""Whereabouts: where the sidecars of a photo are. Everything that needs one asks here.

Beside `photo.jpg` two names are a sidecar's: `photo.jpg.xmp`, which is its alone, and
`photo.xmp`, which may be another photo's of the same stem. It belongs to the one whose
extension it names, else to the one whose words of ours are in it, else to the RAW
photo, as Adobe's programs have it, else to the first by name. Only if `share_sidecar`
says so it belongs to all of them.

What is there is used: our words go into the sidecar that exists, whoever made it and
whatever it is called, so that there are never two that disagree. If several exist all
are read, and one is written: the one that has our words already. `sidecar_name` decides
about new ones only; one that would be taken for another photo's is called in full.
"""

import errno
import logging
import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from tagger.config import Config
from tagger.errors import FileChanged, shown
from tagger.imaging.formats import EXTENSIONS, extension, is_raw
from tagger.pipeline import mirror
from tagger.pipeline.metadata import sidecar
from tagger.pipeline.mirror import Mirrors
from tagger.records import Folder, StatKey, WriteMode
from tagger.tracking import folders, places, sidecars
from tagger.tracking.database import Database
from tagger.tracking.sidecars import Known

log = logging.getLogger(__name__)

# As people and programs write it.
SUFFIXES = (b".xmp", b".XMP")
# RAW photos that are not looked at here, but whose sidecars are theirs all the same.
MORE_RAW = frozenset(
    {
        *(".3fr", ".ari", ".cap", ".crw", ".dcr", ".erf", ".fff", ".gpr", ".iiq"),
        *(".k25", ".kdc", ".mef", ".mos", ".mrw", ".ptx", ".r3d", ".rwl", ".rwz"),
        *(".sr2", ".srf", ".x3f"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The places of one photo's sidecars.

    Words of ours go to `place`, which need not exist, unless they go into the photo.
    `others` exist and are read, too; `strangers` only have a name that could be this
    photo's. One of the others, `old`, is read because our words are in it, until they
    are written to the place. `was_left` says that it is where the photo no longer is,
    `away` why nothing in the mirror can be told now.
    """

    place: bytes
    others: tuple[bytes, ...] = ()
    strangers: tuple[bytes, ...] = ()
    mode: WriteMode = WriteMode.SIDECAR
    old: bytes | None = None
    was_left: bool = False
    away: str | None = None

    @property
    def read(self) -> tuple[bytes, ...]:
        """What is read besides the photo, if it exists."""
        return (self.place, *self.others)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """The photo that is asked about; `ours` has our words by the record."""

    photo: bytes
    file_id: int | None
    ours: bytes | None


class Whereabouts:
    """Tells where sidecars are, by the settings, the disk and the record."""

    def __init__(self, db: Database, config: Config) -> None:
        self._db = db
        self.settings = config.metadata
        self.mirrors = Mirrors(db, common=config.mirror_dir, data_dir=config.data_dir)

    @property
    def is_shared(self) -> bool:
        return self.settings.share_sidecar

    def of_file(self, file_id: int, path: bytes) -> Places:
        """The places of a photo on record, as its folder is set now."""
        folder = folders.of_file(self._db, file_id)
        known = sidecars.known(self._db, file_id)
        return self.of(path, folder, file_id=file_id, known=known)

    def of(
        self,
        path: bytes,
        folder: Folder,
        *,
        file_id: int | None = None,
        known: Sequence[Known] = (),
    ) -> Places:
        """The places of a photo in this folder, `known` being what is on record.

        Raises `FileChanged` while its place in a mirror is another photo's, `OSError`
        if a sidecar cannot be read.
        """
        photo = os.path.realpath(path)
        ours = next((one.path for one in known if one.is_ours), None)
        asked = _Asked(photo=photo, file_id=file_id, ours=ours)
        found = self._around(asked, photo, SUFFIXES)
        if folder.write_mode is WriteMode.MIRROR:
            found = self._in_mirror(asked, folder, found)
        if ours is None or ours in (*found.read, *found.strangers):
            return found
        if not is_file(ours):
            return found
        return replace(
            found,
            others=(*found.others, ours),
            old=ours,
            was_left=ours not in self._possible(photo, folder),
        )

    def follow(self, file_id: int) -> None:
        """Let the sidecar in a mirror come along with a photo that was moved.

        That of another photo, which was moved away from here, goes before it.
        """
        folder = folders.of_file(self._db, file_id)
        paths = places.paths(self._db, [file_id])
        if folder.write_mode is not WriteMode.MIRROR or not paths:
            return
        photo = os.path.realpath(paths[0])
        asked = _Asked(photo=photo, file_id=file_id, ours=None)
        place = self.mirrors.place(photo, folder) + SUFFIXES[0]
        for other in self._holders(place, asked):
            self._carry(other)
        self._carry(file_id)

    def _holders(self, path: bytes, asked: _Asked) -> list[int]:
        """Other photos whose sidecar is at this place."""
        if path == asked.ours or not os.path.lexists(path):
            return []
        return sidecars.holders(self._db, path, besides=asked.file_id)

    def _carry(self, file_id: int) -> None:
        folder = folders.of_file(self._db, file_id)
        known = sidecars.known(self._db, file_id)
        old = next((one.path for one in known if one.is_ours), None)
        paths = places.paths(self._db, [file_id])
        if folder.write_mode is not WriteMode.MIRROR or old is None or not paths:
            return
        photo = os.path.realpath(paths[0])
        is_mirrored = self.mirrors.top(old, folder) is not None
        if not is_mirrored or old in self._possible(photo, folder):
            return
        asked = _Asked(photo=photo, file_id=file_id, ours=old)
        base = self.mirrors.place(photo, folder)
        new = self._new(asked, base, may_be_stem=not _is_photo_name(_stem(base)))
        if os.path.exists(photo) and mirror.carry(old, new):
            sidecars.moved(self._db, file_id, old, new, StatKey.of(os.stat(new)))
            log.info("%s followed its photo to %s", shown(old), shown(new))

    def _in_mirror(self, asked: _Asked, folder: Folder, beside: Places) -> Places:
        """In a mirror; what stands beside the photo is read only."""
        base = self.mirrors.place(asked.photo, folder)
        if self._holders(base + SUFFIXES[0], asked):
            raise FileChanged(
                asked.photo, "its place in the mirror has the sidecar of another photo"
            )
        found = self._around(asked, base, SUFFIXES[:1])
        others = [one for one in beside.read if is_file(one)]
        return replace(
            found,
            others=(*found.others, *others),
            strangers=(*found.strangers, *beside.strangers),
            mode=WriteMode.MIRROR,
            away=self.mirrors.away(found.place, folder),
        )

    def _around(self, asked: _Asked, base: bytes, suffixes: Sequence[bytes]) -> Places:
        """The places by the two names, `base` being where the photo is, or would be."""
        full, stems = _existing(base, suffixes), _existing(_stem(base), suffixes)
        may_be_stem = not _is_photo_name(_stem(base))
        its = [one for one in stems if may_be_stem and self._is_its(one, asked)]
        present = [*full, *its]
        if asked.ours in present:
            place = asked.ours
        elif present:
            place = min(present, key=lambda one: self._rank(one, is_full=one in full))
        else:
            place = self._new(asked, base, may_be_stem=may_be_stem and not stems)
        assert place is not None
        return Places(
            place=place,
            others=tuple(one for one in present if one != place),
            strangers=tuple(one for one in stems if one not in its),
        )

    def _rank(self, path: bytes, *, is_full: bool) -> tuple[bool, bool]:
        """Which of several to write: one with words of ours, then by the setting."""
        wanted = is_full == (self.settings.sidecar_name == "full")
        return not sidecar.glance(path).names_us, not wanted

    def _is_its(self, path: bytes, asked: _Asked) -> bool:
        """Whether an existing `photo.xmp` is this photo's."""
        if self.settings.share_sidecar:
            return True
        named = sidecar.glance(path).extension
        if named is not None:
            return f".{named}" == extension(asked.photo)
        if path == asked.ours:
            return True
        return self._is_first(path, asked)

    def _is_first(self, path: bytes, asked: _Asked) -> bool:
        """Whether no other photo goes before this one at a `photo.xmp`."""
        if sidecars.holders(self._db, path, besides=asked.file_id):
            return False
        own = os.path.basename(asked.photo)
        with os.scandir(os.path.dirname(asked.photo)) as entries:
            names = [entry.name for entry in entries if _is_photo_name(entry.name)]
        return min([own, *sidecar.shared_with(asked.photo, names)], key=_order) == own

    def _new(self, asked: _Asked, base: bytes, *, may_be_stem: bool) -> bytes:
        """How a sidecar is called that does not exist yet."""
        stem = _stem(base) + SUFFIXES[0]
        wanted = self.settings.sidecar_name == "stem" and may_be_stem
        if wanted and (self.settings.share_sidecar or self._is_first(stem, asked)):
            return stem
        return base + SUFFIXES[0]

    def may_be(self, path: bytes, photo: bytes, folder: Folder) -> bool:
        """Whether a sidecar of this photo can be at a path, whatever the settings."""
        return path in self._possible(os.path.realpath(photo), folder)

    def _possible(self, photo: bytes, folder: Folder) -> set[bytes]:
        """Every path at which a sidecar of this photo may be."""
        return {
            name + suffix
            for base in (photo, self.mirrors.place(photo, folder))
            for name in (base, _stem(base))
            for suffix in SUFFIXES
        }


def stats(paths: Iterable[bytes]) -> dict[bytes, StatKey]:
    """The stat keys of those paths that are files."""
    return {path: StatKey.of(os.stat(path)) for path in paths if is_file(path)}


def is_file(path: bytes) -> bool:
    """Whether there is a file; raises `OSError` where that cannot be told."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return False
        raise


def _stem(path: bytes) -> bytes:
    return os.path.splitext(path)[0]


def _is_photo_name(name: bytes) -> bool:
    """Whether a name is a photo's; then `photo.cr2.xmp` is in full, not of a stem."""
    return extension(name) in EXTENSIONS | MORE_RAW


def _order(name: bytes) -> tuple[int, bytes]:
    """RAW photos first, those that hold their words themselves (DNG) after others."""
    ending = extension(name)
    is_first = (is_raw(name) or ending in MORE_RAW) and ending != ".dng"
    return (0 if is_first else 1 if ending == ".dng" else 2), name


def _existing(base: bytes, suffixes: Sequence[bytes]) -> list[bytes]:
    """The files of this name, once each where case makes no difference."""
    found: list[bytes] = []
    for suffix in suffixes:
        path = base + suffix
        if is_file(path) and not any(os.path.samefile(path, one) for one in found):
            found.append(path)
    return found
