"""What a file's words shall become: the person's as they are, ours beside them.

Pure functions over dumps. Nothing of the person's is rewritten: list fields are only
added to and taken from, so that each entry there keeps its spelling, its bytes and its
order. Two spellings of one word (case, Unicode form, spacing) are one word, and a copy
shortened to fit its field is no word of its own; thus running again adds nothing.
"""

from collections.abc import Mapping, Sequence

from tagger.config import Metadata
from tagger.pipeline.metadata import describing, fields, provenance, reading
from tagger.pipeline.metadata.fields import Layout, clean, copy_of, same, unique
from tagger.pipeline.metadata.plans import Plan
from tagger.pipeline.metadata.reading import Dump
from tagger.records import FileWords, PlaceWords, WantedWords

_LINES = (fields.XP_KEYWORDS, fields.PNG_KEYWORDS)


def words(dump: Dump, beside: Mapping[bytes, Dump] | None = None) -> FileWords:
    """Description and tags of a photo; those of its sidecars, by path, come first."""
    beside = beside or {}
    sidecars = {path: _place(each) for path, each in beside.items()}
    places = [*sidecars.values(), in_photo := _place(dump)]
    said = (place.description for place in places if place.description is not None)
    return FileWords(
        description=next(said, None),
        tags=tuple(unique(word for place in places for word in place.tags)),
        provenance=provenance.found(dump, *beside.values()),
        in_photo=in_photo,
        sidecars=sidecars,
    )


def _place(dump: Dump) -> PlaceWords:
    """The words in one file."""
    said = [text for _, text in describing.descriptions(dump)]
    return PlaceWords(
        description=said[0] if said else None,
        tags=tuple(keywords(dump, without=_taken_out(dump))),
        is_said=provenance.found(dump) is not None,
    )


def _taken_out(dump: Dump) -> list[str]:
    """Tags of ours that somebody took out, though fields few programs know have them.

    What a file names as ours we wrote into the richest field, too.
    """
    ours = provenance.found(dump)
    there = {same(word) for word in dump.all(fields.SUBJECT)}
    return [tag for tag in ours.tags if same(tag) not in there] if ours else []


def keywords(dump: Dump, *, without: Sequence[str] = ()) -> list[str]:
    """Every keyword of a file once, richest field first, entries of ours left out.

    Of a hierarchy (`Places|Japan`) the last part is the word. We write none, so each
    is the person's, also one of a single part.
    """

    def entries(name: str) -> list[str]:
        ours = {copy_of(word, name) for word in without}
        return [entry for entry in _entries(dump, name) if entry not in ours]

    hierarchies = {
        same(entry.replace("|", "/")): _leaf(entry, "|")
        for entry in dump.all(fields.HIERARCHY)
    }

    found = entries(fields.SUBJECT)
    poor = {name: entries(name) for name in (fields.IPTC_KEYWORDS, *_LINES)}
    flat = {
        same(word) for field_words in (found, *poor.values()) for word in field_words
    }
    found += [
        entry
        if same(entry) in flat
        else hierarchies.get(same(entry)) or _leaf(entry, "/")
        for entry in entries(fields.TAGS_LIST)
    ]
    found += hierarchies.values()
    for name, copies in poor.items():
        known = {same(copy_of(word, name)) for word in found}
        found += [word for word in copies if same(word) not in known]
    return unique(found)


def plan(
    dump: Dump,
    wanted: WantedWords,
    *,
    layout: Layout,
    settings: Metadata,
    beside: Sequence[Dump] = (),
) -> Plan:
    """How to bring `wanted` into a file whose metadata is `dump`.

    `beside` is what stands with it: sidecars of a photo, or the photo of a sidecar.
    Its description counts as the photo's. A sidecar also takes its keywords over,
    because programs that read the sidecar may not look into the photo.
    """
    tags = unique(clean(tag) for tag in wanted.tags)
    kept = {same(tag) for tag in tags}
    retired = [tag for tag in map(clean, wanted.retired) if same(tag) not in kept]
    persons = keywords(dump, without=retired)
    around = [word for each in beside for word in keywords(each, without=retired)]
    had = {same(word) for word in [*persons, *around]}
    copied: list[str] = []
    if layout.sidecar:
        known = {same(word) for word in persons} | kept
        copied = [
            word for word in unique(map(clean, around)) if same(word) not in known
        ]
        persons += around
    target = unique(clean(word) for word in [*persons, *tags])
    add, remove = {}, {}
    for name in layout.keyword_lists:
        remove[name] = _outdated(dump, name, target, retired)
        add[name] = _missing(dump, name, target, remove[name])
    put, description = describing.changes(
        dump, beside, wanted, layout=layout, settings=settings
    )
    for name in layout.keyword_lines:
        put |= _line_change(dump, name, target, retired)
    source = Plan()
    if wanted.provenance and settings.provenance:
        source = provenance.written(
            dump,
            wanted.provenance,
            description=None if wanted.by_person else description,
        )
    return Plan(
        add={name: entries for name, entries in add.items() if entries},
        remove={name: entries for name, entries in remove.items() if entries},
        put=put | source.put,
        lists=source.lists,
        added_tags=tuple(tag for tag in tags if same(tag) not in had),
        wrote_description=description,
        copied_tags=tuple(copied),
    )


def cleaning(beside: Dump, photo: Dump, wanted: WantedWords) -> Plan:
    """How to take our retired words out of a sidecar, once the photo has the new ones.

    Only what the sidecar itself names as ours goes; anything else there may be the
    person's, even if it is spelt the same.
    """
    ours = provenance.found(beside)
    if ours is None:
        return Plan()
    tags = unique(clean(tag) for tag in wanted.tags)
    kept = {same(tag) for tag in tags}
    named = {*ours.tags}
    retired = [tag for tag in map(clean, wanted.retired) if tag in named]
    retired = [tag for tag in retired if same(tag) not in kept]
    persons = (keywords(dump, without=retired) for dump in (beside, photo))
    target = [*tags, *(word for words in persons for word in words)]
    remove = {
        name: _outdated(beside, name, target, retired)
        for name in fields.SIDECAR.keyword_lists
    }
    put = describing.outdated(beside, ours.description, wanted)
    gone = {entry for entries in remove.values() for entry in entries}
    left = provenance.without(beside, gone, description=not put)
    return Plan(
        remove={name: entries for name, entries in remove.items() if entries},
        put=put | left.put,
        lists=left.lists,
    )


def _entries(dump: Dump, name: str) -> list[str]:
    """The keywords in one field; one that holds them in a single text is split."""
    if name in _LINES:
        return [
            word.strip()
            for text in dump.all(name)
            for word in text.split(_separator(text, name).strip())
        ]
    if name == fields.IPTC_KEYWORDS:
        return list(reading.iptc_texts(dump, name))
    return list(dump.all(name))


def _separator(text: str, name: str) -> str:
    """`;`, or the comma in a PNG whose author used commas."""
    commas = name == fields.PNG_KEYWORDS and "," in text and ";" not in text
    return ", " if commas else ";"


def _leaf(entry: str, separator: str) -> str:
    """The last part of a hierarchy that says something."""
    parts = [part for part in entry.split(separator) if same(part)]
    return parts[-1] if parts else ""


def _outdated(
    dump: Dump, name: str, target: Sequence[str], retired: Sequence[str]
) -> tuple[str, ...]:
    """The entries of a field that are retired tags, exactly as we wrote them."""
    ours = {copy_of(tag, name) for tag in retired}
    kept = {same(copy_of(word, name)) for word in target}
    return tuple(
        dict.fromkeys(
            entry
            for entry in _entries(dump, name)
            if entry in ours
            and same(entry) not in kept
            and reading.can_hold(dump, name, entry)
        )
    )


def _missing(
    dump: Dump, name: str, target: Sequence[str], gone: Sequence[str]
) -> tuple[str, ...]:
    """The entries to add to a list field so that it holds every word of `target`."""
    present = [entry for entry in _entries(dump, name) if entry not in gone]
    have = {same(entry) for entry in present}
    paths: dict[str, str] = {}
    if name == fields.TAGS_LIST:
        have |= {same(_leaf(entry, "/")) for entry in present}
        paths = {
            same(_leaf(entry, "|")): entry.replace("|", "/")
            for entry in dump.all(fields.HIERARCHY)
        }
    missing: list[str] = []
    room_bytes = fields.BLOCK_BYTES if name == fields.IPTC_KEYWORDS else None
    for word in target:
        entry = paths.get(same(word)) or copy_of(word, name)
        if not same(entry) or have & {same(word), same(entry)}:
            continue
        if not reading.can_hold(dump, name, entry) or _is_full(
            missing, entry, room_bytes
        ):
            continue
        missing.append(entry)
        have.add(same(entry))
    return tuple(missing)


def _is_full(entries: Sequence[str], entry: str, room_bytes: int | None) -> bool:
    if room_bytes is None:
        return False
    return len("".join([*entries, entry]).encode()) > room_bytes


def _line_change(
    dump: Dump, name: str, target: Sequence[str], retired: Sequence[str]
) -> dict[str, str]:
    """The new text of a field that holds all keywords in one; none if it is fine.

    The person's part stays as it is, spaces and all. A text that could not be written
    again exactly is left alone.
    """
    if not dump.can_put_back(name):
        return {}
    text = dump.text(name) or ""
    separator = _separator(text, name)
    gone = _outdated(dump, name, target, retired)
    present = text.split(separator.strip()) if text else []
    kept = [word for word in present if word.strip() not in gone]
    have = {same(word) for word in kept}
    added: list[str] = []
    for word in target:
        entry = copy_of(word, name)
        full = _is_full(added, entry, fields.BLOCK_BYTES // 2)
        if same(entry) and same(entry) not in have and not full:
            added.append(entry)
            have.add(same(entry))
    if kept == present and not added:
        return {}
    person = separator.strip().join(kept)
    return {name: separator.join([person, *added] if person.strip() else added)}
