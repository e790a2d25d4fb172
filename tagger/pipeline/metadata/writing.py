"""Words in photos: reads what stands there, and writes what shall, harming nothing.

`Writer` decides where words go: into the file where its format and its owner allow it,
otherwise into an XMP sidecar beside it. How a file is changed is `editing`'s business,
what it shall contain is `merging`'s.
"""

import contextlib
import errno
import logging
import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tagger.config import Metadata
from tagger.errors import FileChanged, MetadataNotWritten, UnreadableImage, shown
from tagger.pipeline.metadata import (
    editing,
    fields,
    merging,
    reading,
    replacing,
    sidecar,
)
from tagger.pipeline.metadata.editing import Edit
from tagger.pipeline.metadata.exiftool import Exiftool, NoReply
from tagger.pipeline.metadata.reading import Dump
from tagger.pipeline.metadata.replacing import Refused
from tagger.records import FileWords, Intent, StatKey, WantedWords, WriteMode, Written

log = logging.getLogger(__name__)

OnIntent = Callable[[Intent], None]

LINE_BREAK = "its path contains a line break, which exiftool could take for a command"
_DISK_TROUBLE = {errno.ENOSPC, errno.EDQUOT, errno.EIO}


@dataclass(frozen=True, slots=True)
class _Photo:
    """A photo and its sidecar as they were found."""

    path: bytes
    found: os.stat_result
    dump: Dump
    sidecar: bytes
    sidecar_found: os.stat_result | None
    sidecar_dump: Dump | None


class Writer:
    """Reads and writes the words of photos through one exiftool; safe for threads.

    Two threads must not write the same photo at once.
    """

    def __init__(self, exiftool: Exiftool, settings: Metadata) -> None:
        self._exiftool = exiftool
        self._settings = settings

    def read(self, path: bytes) -> FileWords:
        """The words in a photo and its sidecar, exactly as they are spelt.

        Raises `UnreadableImage` if they cannot be told, `ExiftoolUnavailable` if there
        is no exiftool.
        """
        try:
            photo = self._look(path, reading.WORDS_ONLY)
        except (Refused, NoReply) as error:
            raise UnreadableImage(path, str(error)) from error
        except OSError as error:
            raise UnreadableImage(path, _clause(error)) from error
        return merging.words(photo.dump, photo.sidecar_dump)

    def write(
        self,
        path: bytes,
        wanted: WantedWords,
        *,
        mode: WriteMode,
        expect: StatKey | None,
        identity: str,
        on_intent: OnIntent,
    ) -> Written:
        """Bring words into a photo, or beside it; the person's stay as they are.

        `expect` is the stat key of the photo when its pixels were looked at, `identity`
        the picture's. `on_intent` is called when the finished copy is on the disk, just
        before it takes the file's name; what it raises stops the write.

        Raises `FileChanged` if the photo is not what it was, `MetadataNotWritten` if
        the words went nowhere, `ExiftoolUnavailable` if there is no exiftool. In each
        case the files are as they were.
        """
        if mode is WriteMode.NONE:
            raise ValueError("there is nothing to write in this mode")
        try:
            with _trouble(path):
                photo = self._look(path, reading.EVERYTHING)
        except (Refused, NoReply) as error:
            raise MetadataNotWritten(path, str(error)) from error
        if expect is not None and StatKey.of(photo.found) != expect:
            raise FileChanged(path, "it changed after it was looked at")
        note = None
        if mode is WriteMode.FILE:
            try:
                return self._into_file(photo, wanted, identity, on_intent)
            except (Refused, NoReply) as error:
                note = str(error)
                log.info("%s gets a sidecar: %s", shown(path), note)
        try:
            return self._into_sidecar(photo, wanted, on_intent, note)
        except (Refused, NoReply) as error:
            reasons = dict.fromkeys(filter(None, [note, str(error)]))
            raise MetadataNotWritten(path, "; ".join(reasons)) from error

    def file_hash(self, path: bytes) -> str:
        """BLAKE3 of the whole file, hex: tells whether an open intent was carried out.

        Raises `FileNotFoundError` if there is none.
        """
        return replacing.file_hash(path)

    def remove_stale(self, folder: bytes) -> list[bytes]:
        """Remove the temporaries a killed tagger left in a folder; return them."""
        return replacing.remove_stale(folder)

    def _look(self, path: bytes, what: Sequence[bytes]) -> _Photo:
        """Find the photo and its sidecar, through links, and what both hold."""
        photo = os.path.realpath(path)
        beside = sidecar.path_of(photo)
        if re.search(rb"[\r\n]", photo + beside):
            raise Refused(LINE_BREAK)
        found, beside_found = os.stat(photo), _stat_or_none(beside)
        paths = [photo]
        if beside_found and stat.S_ISREG(beside_found.st_mode):
            paths.append(beside)
        dumps = editing.dumps(self._exiftool, paths, what)
        other = dumps[1] if len(dumps) > 1 else None
        return _Photo(photo, found, dumps[0], beside, beside_found, other)

    def _into_file(
        self, photo: _Photo, wanted: WantedWords, identity: str, on_intent: OnIntent
    ) -> Written:
        layout = fields.LAYOUTS.get(photo.dump.format)
        if layout is None or photo.dump.error:
            format = photo.dump.format
            raise Refused(photo.dump.error or f"exiftool cannot write {format} files")
        plan = merging.plan(
            photo.dump,
            wanted,
            layout=layout,
            settings=self._settings,
            beside=photo.sidecar_dump,
        )
        if not plan.is_empty and (reason := replacing.why_not(photo.path, photo.found)):
            raise Refused(reason)
        edit = Edit(
            target=photo.path,
            mode=WriteMode.FILE,
            plan=plan,
            before=photo.dump,
            found=photo.found,
            photo=photo.found,
            identity=identity,
        )
        after, key = self._carry_out(edit, on_intent)
        return _written(edit, key, merging.words(after, photo.sidecar_dump), None)

    def _into_sidecar(
        self,
        photo: _Photo,
        wanted: WantedWords,
        on_intent: OnIntent,
        note: str | None,
    ) -> Written:
        before = photo.sidecar_dump or Dump()
        if photo.sidecar_found and not sidecar.is_usable(before):
            raise Refused("what is at the place of its sidecar is none")
        plan = merging.plan(
            before,
            wanted,
            layout=fields.SIDECAR,
            settings=self._settings,
            beside=photo.dump,
        )
        if photo.sidecar_found and not plan.is_empty:
            reason = replacing.why_not(photo.sidecar, photo.sidecar_found)
            if reason:
                raise Refused(f"of its sidecar: {reason}")
        edit = Edit(
            target=photo.sidecar,
            mode=WriteMode.SIDECAR,
            plan=plan,
            before=before,
            found=photo.sidecar_found,
            photo=photo.found,
        )
        after, key = self._carry_out(edit, on_intent)
        return _written(edit, key, merging.words(photo.dump, after), note)

    def _carry_out(
        self, edit: Edit, on_intent: OnIntent
    ) -> tuple[Dump, StatKey | None]:
        """Make the edit, if there is anything to do."""
        if edit.plan.is_empty:
            return edit.before, edit.expect
        keep_time = self._settings.keep_modified_time and edit.identity is not None
        with contextlib.ExitStack() as stack:
            with _trouble(edit.target):
                copy, after, intent = stack.enter_context(
                    editing.prepared(self._exiftool, edit, keep_time=keep_time)
                )
            on_intent(intent)
            with _trouble(edit.target):
                return after, replacing.replace(copy, edit.target, expect=edit.expect)


@contextlib.contextmanager
def _trouble(path: bytes) -> Iterator[None]:
    """What the operating system refuses, in the terms of `Writer.write`."""
    try:
        yield
    except FileNotFoundError:
        raise FileChanged(path, "it is gone, or its folder is") from None
    except OSError as error:
        if error.errno in _DISK_TROUBLE:
            raise MetadataNotWritten(path, _clause(error)) from error
        raise Refused(_clause(error)) from error


def _clause(error: OSError) -> str:
    text = error.strerror or "unknown reason"
    return f"the system says: {text[0].lower()}{text[1:]}"


def _stat_or_none(path: bytes) -> os.stat_result | None:
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return None
        raise


def _written(
    edit: Edit, key: StatKey | None, words: FileWords, note: str | None
) -> Written:
    return Written(
        target=edit.target,
        mode=edit.mode,
        changed=not edit.plan.is_empty,
        stat=key,
        words=words,
        added_tags=edit.plan.added_tags,
        wrote_description=edit.plan.wrote_description,
        note=note,
    )
