"""Carrying out the way back that `restoring` finds, by the safe procedure of a write.

A sidecar that was ours alone is deleted once nothing of another's is in it; undoing
that makes it again.
"""

import dataclasses
import os
from collections.abc import Callable
from dataclasses import dataclass

from tagger.errors import FileChanged
from tagger.imaging.formats import is_raw
from tagger.imaging.rawdata import is_raw_identity
from tagger.pipeline.metadata import (
    editing,
    fields,
    looking,
    reading,
    replacing,
    restoring,
    sidecar,
    verifying,
    wayback,
)
from tagger.pipeline.metadata.editing import Edit
from tagger.pipeline.metadata.exiftool import Exiftool
from tagger.pipeline.metadata.looking import Photo
from tagger.pipeline.metadata.past import Past, TagPast
from tagger.pipeline.metadata.reading import Dump
from tagger.pipeline.metadata.replacing import Refused
from tagger.pipeline.metadata.restoring import Restored, Return
from tagger.records import FileWords, Intent, StatKey, WriteMode, Written

OnIntent = Callable[[Intent], None]


@dataclass(frozen=True, slots=True)
class Request:
    """Which file is to be put back: the photo `path` itself, or its sidecar.

    `sidecar` and `others` are what else holds words of the photo.
    """

    path: bytes
    target: bytes
    mode: WriteMode
    identity: str
    expect: StatKey | None = None
    sidecar: bytes | None = None
    others: tuple[bytes, ...] = ()

    @property
    def in_photo(self) -> bool:
        return self.mode is WriteMode.FILE


def restore(
    exiftool: Exiftool,
    request: Request,
    past: Past | TagPast,
    *,
    keep_time: bool,
    on_intent: OnIntent,
) -> Restored:
    """Put one write back, or one tag of several, as `Writer.restore` says."""
    with replacing.trouble(request.path):
        photo = _look(exiftool, request)
    found = photo.found if request.in_photo else photo.sidecar_found
    now = _dump(photo, request)
    if request.expect is not None:
        replacing.check_untouched(request.target, request.expect)
    way = _way(now, past)
    if way.does_nothing:
        return _restored(photo, request, way, now)
    if found is None and fields.FILE_ITSELF not in way.goal:
        raise FileChanged(request.target, "it is gone, or its folder is")
    if found is not None and (reason := replacing.why_not(request.target, found)):
        raise Refused(reason)

    def announce(intent: Intent) -> None:
        """The intent, with what is left and the words there as they will be."""
        after = _after(now, intent)
        on_intent(
            dataclasses.replace(
                intent,
                left=way.left(now, after),
                words=_words(photo, request, after),
            )
        )

    if found is not None and way.deletes(now):
        _delete(request, now, found, announce)
        return _restored(photo, request, way, Dump(), changed=True)
    edit = Edit(
        target=request.target,
        mode=request.mode,
        command=restoring.command(way, now),
        check=way.check,
        before=now,
        found=found,
        photo=photo.found,
        makes_folder=found is None and photo.has_mirror,
        identity=request.identity if request.in_photo else None,
    )
    after, key = editing.carry_out(
        exiftool, edit, keep_time=keep_time and request.in_photo, on_intent=announce
    )
    return _restored(photo, request, way, after, key, changed=True)


def _way(now: Dump, past: Past | TagPast) -> Return:
    if isinstance(past, TagPast):
        return wayback.without_tag(now, past)
    return wayback.find(now, past)


def _look(exiftool: Exiftool, request: Request) -> Photo:
    """The photo and its sidecar, the target being one of them, and no link."""
    beside, others = request.sidecar, request.others
    if not request.in_photo:
        others = (*((beside,) if beside else ()), *others)
        beside, others = request.target, tuple(o for o in others if o != request.target)
    photo = looking.look(
        exiftool, request.path, reading.EVERYTHING, beside=beside, others=others
    )
    if request.target != (photo.path if request.in_photo else photo.sidecar):
        raise FileChanged(request.target, "its name leads to another file now")
    return photo


def _dump(photo: Photo, request: Request) -> Dump:
    """What the target holds; raises `Refused` if it is not what can be written."""
    if request.in_photo:
        if is_raw(request.path) or is_raw_identity(request.identity):
            raise Refused("RAW files are never written into")
        format = photo.dump.format
        if photo.dump.error or format not in fields.LAYOUTS:
            raise Refused(photo.dump.error or f"exiftool cannot write {format} files")
        return photo.dump
    now = photo.sidecar_dump or Dump()
    if photo.sidecar_found and not sidecar.is_usable(now):
        raise Refused("what is at the place of its sidecar is none")
    return now


def _after(now: Dump, intent: Intent) -> Dump:
    """What the target will hold once the intent is carried out."""
    values = dict(now.values) | intent.intended
    there = {name: texts for name, texts in values.items() if texts}
    return dataclasses.replace(now, values=there)


def _delete(
    request: Request, now: Dump, found: os.stat_result, on_intent: OnIntent
) -> None:
    """Remove a sidecar that was ours alone."""
    names = [*verifying.inside(now), fields.FILE_ITSELF]
    key = StatKey.of(found)
    on_intent(
        Intent(
            target=request.target,
            mode=request.mode,
            expect=key,
            before={name: now.all(name) for name in names},
            intended={name: () for name in names},
            added_tags=(),
            wrote_description=None,
            after_hash="",
        )
    )
    with replacing.trouble(request.target):
        replacing.delete(request.target, expect=key)


def _words(photo: Photo, request: Request, after: Dump) -> FileWords:
    if request.in_photo:
        return photo.words(photo=after)
    return photo.words(beside=after)


def _restored(
    photo: Photo,
    request: Request,
    way: Return,
    after: Dump,
    key: StatKey | None = None,
    *,
    changed: bool = False,
) -> Restored:
    now, words = _dump(photo, request), _words(photo, request, after)
    written = Written(
        target=request.target,
        mode=request.mode,
        changed=True,
        stat=key,
        words=words,
    )
    return Restored(
        written=written if changed else None,
        words=words,
        put_back=way.put_back(now, after),
        refused=way.refused,
        unrestorable=way.unrestored(now, after),
        waiting=way.waits,
        left=way.left(now, after),
    )
