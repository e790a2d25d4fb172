"""Words in photos: reads what stands there, and writes what shall, harming nothing.

`Writer` decides where words go: into the file where its format and its owner allow it,
otherwise into an XMP sidecar. How a file is changed is `editing`'s business, what it
shall contain is `merging`'s, and what it contained before a write is `restoring`'s.
"""

import dataclasses
import functools
import logging
from collections.abc import Callable, Sequence

from tagger.errors import FileChanged, MetadataNotWritten, UnreadableImage, shown
from tagger.imaging.formats import is_raw
from tagger.imaging.rawdata import is_raw_identity
from tagger.pipeline.metadata import (
    believing,
    editing,
    fields,
    looking,
    merging,
    reading,
    replacing,
    sidecar,
    undoing,
    verifying,
)
from tagger.pipeline.metadata.editing import Edit
from tagger.pipeline.metadata.exiftool import Exiftool, NoReply
from tagger.pipeline.metadata.looking import Photo
from tagger.pipeline.metadata.past import Past, TagPast
from tagger.pipeline.metadata.plans import Plan
from tagger.pipeline.metadata.reading import Dump
from tagger.pipeline.metadata.replacing import Refused
from tagger.pipeline.metadata.restoring import Restored
from tagger.records import FileWords, Intent, StatKey, WantedWords, WriteMode, Written
from tagger.sections import Metadata

log = logging.getLogger(__name__)

OnIntent = Callable[[Intent], None]


class Writer:
    """Reads and writes the words of photos through one exiftool; safe for threads.

    Two threads must not write the same photo at once. `sidecar` is everywhere the path
    of a photo's sidecar, where it is not `photo.jpg.xmp`; `others` are sidecars that
    are read, too, and never written.
    """

    def __init__(self, exiftool: Exiftool, settings: Metadata) -> None:
        self._exiftool = exiftool
        self._settings = settings

    def read(
        self,
        path: bytes,
        *,
        sidecar: bytes | None = None,
        others: Sequence[bytes] = (),
    ) -> FileWords:
        """The words in a photo and its sidecars, exactly as they are spelt.

        Raises `UnreadableImage` if they cannot be told, `ExiftoolUnavailable` if there
        is no exiftool.
        """
        try:
            photo = looking.look(
                self._exiftool,
                path,
                reading.WORDS_ONLY,
                beside=sidecar,
                others=others,
            )
            return believing.checked(photo.words())
        except (Refused, NoReply) as error:
            raise UnreadableImage(path, str(error)) from error
        except OSError as error:
            raise UnreadableImage(path, replacing.clause(error)) from error

    def write(
        self,
        path: bytes,
        wanted: WantedWords,
        *,
        mode: WriteMode,
        expect: StatKey | None,
        identity: str,
        on_intent: OnIntent,
        sidecar: bytes | None = None,
        others: Sequence[bytes] = (),
    ) -> Written:
        """Bring words into a photo, or beside it; the person's stay as they are.

        `expect` is the stat key of the photo when its pixels were looked at, `identity`
        the picture's. `on_intent` is called when the finished copy is on the disk, just
        before it takes the file's name; what it raises stops the write. It is called
        once more if words of ours are then taken out of an older sidecar.

        Raises `FileChanged` if the photo is not what it was, `MetadataNotWritten` if
        the words went nowhere, `ExiftoolUnavailable` if there is no exiftool. In each
        case the files are as they were.
        """
        if mode is WriteMode.NONE:
            raise ValueError("there is nothing to write in this mode")
        try:
            with replacing.trouble(path):
                photo = looking.look(
                    self._exiftool,
                    path,
                    reading.EVERYTHING,
                    beside=sidecar,
                    others=others,
                )
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
            where = WriteMode.SIDECAR if mode is WriteMode.FILE else mode
            return self._into_sidecar(photo, wanted, where, on_intent, note)
        except (Refused, NoReply) as error:
            reasons = dict.fromkeys(filter(None, [note, str(error)]))
            raise MetadataNotWritten(path, "; ".join(reasons)) from error

    def restore(
        self,
        photo: bytes,
        target: bytes,
        past: Past | TagPast,
        *,
        mode: WriteMode,
        identity: str,
        expect: StatKey | None = None,
        on_intent: OnIntent,
        sidecar: bytes | None = None,
        others: Sequence[bytes] = (),
    ) -> Restored:
        """Put back what one recorded write changed in `target`, a photo or a sidecar.

        Of a `TagPast` only the entries of that tag are taken out. The intent handed to
        `on_intent` is that of this restoring, so it can be undone in the same way; its
        `after_hash` is empty where a sidecar that was ours alone is deleted.

        Raises as `write` does; the files are as they were then.
        """
        try:
            return undoing.restore(
                self._exiftool,
                undoing.Request(
                    photo, target, mode, identity, expect, sidecar, tuple(others)
                ),
                past,
                keep_time=self._settings.keep_modified_time,
                on_intent=on_intent,
            )
        except (Refused, NoReply) as error:
            raise MetadataNotWritten(target, str(error)) from error

    def file_hash(self, path: bytes) -> str:
        """BLAKE3 of the whole file, hex: tells whether an open intent was carried out.

        Raises `FileNotFoundError` if there is none.
        """
        return replacing.file_hash(path)

    def remove_stale(self, folder: bytes) -> list[bytes]:
        """Remove the temporaries a killed tagger left in a folder; return them."""
        return replacing.remove_stale(folder)

    def _into_file(
        self, photo: Photo, wanted: WantedWords, identity: str, on_intent: OnIntent
    ) -> Written:
        if is_raw(photo.path) or is_raw_identity(identity):
            # exiftool takes some for plain TIFF; the only copy of a negative is let be.
            raise Refused("RAW files are never written into")
        layout = fields.LAYOUTS.get(photo.dump.format)
        if layout is None or photo.dump.error:
            format = photo.dump.format
            raise Refused(photo.dump.error or f"exiftool cannot write {format} files")
        plan = merging.plan(
            photo.dump,
            wanted,
            layout=layout,
            settings=self._settings,
            beside=[photo.sidecar_dump or Dump(), *photo.around],
        )
        if not plan.is_empty and (reason := replacing.why_not(photo.path, photo.found)):
            raise Refused(reason)
        after, key = photo.dump, StatKey.of(photo.found)
        if not plan.is_empty:
            edit = _edit(photo, plan, WriteMode.FILE, identity=identity)
            after, key = self._carry_out(edit, on_intent)
        beside, beside_key = self._cleaned(photo, after, wanted, on_intent)
        return Written(
            target=photo.path,
            mode=WriteMode.FILE,
            changed=not plan.is_empty or beside_key is not None,
            stat=key,
            words=photo.words(photo=after, beside=beside),
            added_tags=plan.added_tags,
            wrote_description=plan.wrote_description,
            cleaned=photo.sidecar if beside_key else None,
            cleaned_stat=beside_key,
        )

    def _cleaned(
        self, photo: Photo, after: Dump, wanted: WantedWords, on_intent: OnIntent
    ) -> tuple[Dump | None, StatKey | None]:
        """The sidecar without our retired words; as it was if it cannot be changed.

        The photo is written by now, so whatever happens here does not undo that.
        """
        beside, found = photo.sidecar_dump, photo.sidecar_found
        if beside is None or found is None or not sidecar.is_usable(beside):
            return beside, None
        plan = merging.cleaning(beside, after, wanted)
        if plan.is_empty or replacing.why_not(photo.sidecar, found):
            return beside, None
        try:
            return self._carry_out(_edit(photo, plan, WriteMode.SIDECAR), on_intent)
        except (Refused, NoReply, FileChanged, MetadataNotWritten) as error:
            log.warning("%s keeps old words: %s", shown(photo.sidecar), error)
            return beside, None

    def _into_sidecar(
        self,
        photo: Photo,
        wanted: WantedWords,
        mode: WriteMode,
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
            beside=[photo.dump, *photo.around],
        )
        is_new = photo.sidecar_found is None and not plan.is_empty
        if is_new and not self._settings.share_sidecar:
            more = sidecar.mark(photo.sidecar, photo.path)
            plan = dataclasses.replace(plan, put=plan.put | more)
        if photo.sidecar_found and not plan.is_empty:
            reason = replacing.why_not(photo.sidecar, photo.sidecar_found)
            if reason:
                raise Refused(f"of its sidecar: {reason}")
        edit = _edit(photo, plan, mode)
        after, key = before, edit.expect
        if not plan.is_empty:
            after, key = self._carry_out(edit, on_intent)
        return Written(
            target=photo.sidecar,
            mode=mode,
            changed=not plan.is_empty,
            stat=key,
            words=photo.words(beside=after),
            added_tags=plan.added_tags,
            wrote_description=plan.wrote_description,
            note=note,
        )

    def _carry_out(self, edit: Edit, on_intent: OnIntent) -> tuple[Dump, StatKey]:
        keep_time = self._settings.keep_modified_time and edit.identity is not None
        return editing.carry_out(
            self._exiftool, edit, keep_time=keep_time, on_intent=on_intent
        )


def _edit(
    photo: Photo, plan: Plan, mode: WriteMode, *, identity: str | None = None
) -> Edit:
    """A plan for the photo, or for its sidecar, as something to carry out."""
    in_photo = mode is WriteMode.FILE
    before = photo.dump if in_photo else photo.sidecar_dump or Dump()
    return Edit(
        target=photo.path if in_photo else photo.sidecar,
        mode=mode,
        command=editing.assignments(plan, before),
        check=functools.partial(verifying.differences, plan=plan),
        before=before,
        found=photo.found if in_photo else photo.sidecar_found,
        photo=photo.found,
        makes_folder=not in_photo and photo.has_mirror,
        identity=identity,
        added_tags=plan.added_tags,
        wrote_description=plan.wrote_description,
        copied_tags=plan.copied_tags,
    )
