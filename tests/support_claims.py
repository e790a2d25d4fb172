"""The claims about photos: a person's words stand, none twice, no picture touched."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from tagger.imaging.identity import identity
from tagger.pipeline.undo import Undone
from tagger.records import ImageSnapshot, WriteMode
from tests import support_hands as hands
from tests.support_hands import Told, key
from tests.support_metadata import as_told, pixels
from tests.support_said import Photo, Said

# Of a file that was renamed or touched by others, this is nothing a write changes.
NAMES = ("SourceFile", "System:FileName", "System:Directory", "System:FileModifyDate")


def check_same(before: Mapping[str, object], after: Mapping[str, object]) -> None:
    """No file is another than it was."""
    names = before.keys() | after.keys()
    changed = sorted(name for name in names if before.get(name) != after.get(name))
    assert changed == [], (changed, "changed without reason")


def check_photo(
    photo: Photo, mirrored: Path, image: ImageSnapshot, mode: WriteMode
) -> None:
    """All that must hold of one photo, by its files and the catalogue."""
    said, where = photo.said, photo.path.name
    files = [hands.found(one) for one in (photo.path, photo.sidecar, mirrored)]
    known = {key(tag.name) for tag in image.tags}
    assert len(known) == len(image.tags), (where, image.tags)
    for told in files:
        check_nothing_doubled(told, where)
    _check_known(said, known)
    _check_kept(said, files, may_lack=mode is WriteMode.NONE)
    if photo.is_synced:
        subject = {name: [] for name in hands.EVERY}
        subject[hands.SUBJECT] = files[0][hands.SUBJECT]
        _check_kept(said, [subject])
    places = dict(zip((WriteMode.FILE, WriteMode.SIDECAR), files, strict=False))
    places[WriteMode.MIRROR] = files[2]
    if mode is not WriteMode.NONE:
        back = said.out & hands.said_in(places[mode])
        assert not back, (where, back, "came back", places[mode])
    _check_description(said, files, image, mode)
    assert identity(os.fsencode(photo.path)) == photo.picture, where
    assert pixels(photo.path) == photo.pixels, where


def check_nothing_doubled(told: Told, where: str) -> None:
    """No field holds two entries that are one word."""
    for name in (*hands.KEYWORDS, *hands.NOTED, hands.REMOVED):
        keys = [key(entry) for entry in told[name]]
        assert len(keys) == len({*keys}), (where, name, told[name])


def _check_known(said: Said, known: set[str]) -> None:
    """The catalogue has every word of the person's, and none that was taken out."""
    assert said.words.keys() <= known, (said.words, "not all in the catalogue", known)
    assert not said.out & known, (said.out, "in the catalogue", known)


def _check_kept(said: Said, files: Sequence[Told], *, may_lack: bool = False) -> None:
    there = set().union(*map(hands.said_in, files))
    spelt = {
        form
        for told in files
        for name in hands.KEYWORDS
        for entry in told[name]
        for form in (entry, hands.leaf(name, entry))
    }
    for word, spelling in said.words.items():
        if may_lack and word not in there:
            continue
        assert word in there, (word, "is lost", files)
        if spelling is not None:
            assert spelling in spelt, (spelling, "is spelt otherwise", files)


def _check_description(
    said: Said, files: Sequence[Told], image: ImageSnapshot, mode: WriteMode
) -> None:
    if said.description is not None:
        names, text = said.description
        if mode is WriteMode.NONE and not said.described_outside:
            assert image.description == text
            return
        for name in names:
            texts = [one for told in files for one in told[name]]
            assert text in texts, (name, text, files)
    elif said.silent and mode is WriteMode.FILE:
        left = {n: t for n in hands.DESCRIPTIONS for t in files[0][n] if t}
        assert left == {}, (left, "came back")


def check_pristine(photos: Sequence[Photo], outcome: Undone) -> None:
    """After everything was undone, files say what they did before the first write."""
    left = (*outcome.refused, *outcome.unrestorable)
    listed = {(one.file, one.field) for one in left}
    for photo in photos:
        if photo.pristine is None or photo.events:
            continue
        now = as_told(photo.path)
        differ = {
            name
            for name in photo.pristine.keys() | now.keys()
            if photo.pristine.get(name) != now.get(name)
            and name not in NAMES
            and (str(photo.path), name) not in listed
        }
        assert differ == set(), (photo.path.name, differ)
