"""What a file's words shall become: the person's as they are, ours beside them.

Pure functions over dumps. Nothing of the person's is rewritten: list fields are only
added to and taken from, so that each entry there keeps its spelling, its bytes and its
order. Two spellings of one word (case, Unicode form, spacing) are one word, and a copy
shortened to fit its field is no word of its own; thus running again adds nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tagger.pipeline.metadata import (
    describing,
    fields,
    provenance,
    reading,
    stars,
    trees,
)
from tagger.pipeline.metadata.fields import Layout, clean, copy_of, same, unique
from tagger.pipeline.metadata.keywording import (
    LINES,
    entries,
    held,
    is_full,
    keywords,
    separator,
    standing,
    taken_out,
)
from tagger.pipeline.metadata.plans import Plan
from tagger.pipeline.metadata.reading import Dump
from tagger.records import FileWords, PlaceWords, Provenance, WantedWords
from tagger.sections import Metadata


def words(dump: Dump, beside: Mapping[bytes, Dump] | None = None) -> FileWords:
    """The words and the rating of a photo; its sidecars', by path, come first."""
    beside = beside or {}
    dumps = [*beside.values(), dump]
    sidecars = {path: _place(each) for path, each in beside.items()}
    places = [*sidecars.values(), in_photo := _place(dump)]
    said = (place.description for place in places if place.description is not None)
    left = (text for each in dumps for text in describing.leftovers(each))
    return FileWords(
        description=(description := next(said, None)),
        leftover_description=next(left, None) if description is None else None,
        tags=tuple(unique(word for place in places for word in place.tags)),
        leftovers=tuple(word for each in dumps for word in _leftovers(each)),
        provenance=provenance.found(dump, *beside.values()),
        in_photo=in_photo,
        sidecars=sidecars,
        rating=stars.rating(dumps),
    )


def _place(dump: Dump) -> PlaceWords:
    """The words in one file, without those that somebody took out of it."""
    said = [text for _, text in describing.standing(dump)]
    return PlaceWords(
        description=said[0] if said else None,
        tags=tuple(keywords(dump, refused=taken_out(dump))),
        is_said=provenance.found(dump) is not None,
        in_trees=tuple(trees.words(dump)),
    )


def _leftovers(dump: Dump) -> list[str]:
    """Of what was taken out of a file, the words that some fields have yet."""
    gone = taken_out(dump)
    there = {same(word) for word in keywords(dump)} if gone else set()
    return [word for word in gone if same(word) in there]


@dataclass(frozen=True, slots=True)
class _Target:
    """What a file shall hold: `words`, neither `retired` as spelt nor any `refused`."""

    words: tuple[str, ...]
    retired: tuple[str, ...]
    refused: tuple[str, ...]

    def copies(self, name: str) -> set[str]:
        return {same(copy_of(word, name)) for word in self.words}


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
    retired = _retired(wanted, tags)
    out = [word for word in taken_out(dump) if same(word) not in kept]
    refused = [*map(clean, wanted.refused), *out]
    persons = keywords(dump, without=retired, refused=refused)
    around = [
        word
        for each in beside
        for word in keywords(each, without=retired, refused=refused)
    ]
    had = {same(word) for word in [*persons, *around]}
    copied: list[str] = []
    if layout.sidecar:
        known = {same(word) for word in persons} | kept
        copied = [w for w in unique(map(clean, around)) if same(w) not in known]
        persons += around
    target = _Target(
        tuple(unique(clean(word) for word in [*persons, *tags])),
        tuple(retired),
        tuple(refused),
    )
    change = trees.change(dump, target.refused, wanted.renamed, target.words)
    add, remove = dict(change.add), dict(change.remove)
    for name in layout.keyword_lists:
        gone = _outdated(dump, name, target)
        remove[name] = (*remove.get(name, ()), *gone)
        add[name] = _missing(dump, name, target, remove[name], change.paths)
    put, description = describing.changes(
        dump, beside, wanted, layout=layout, settings=settings
    )
    for name in layout.keyword_lines:
        put |= _line_change(dump, name, target)
    source = _source(dump, wanted, target.words, description, settings=settings)
    return Plan(
        add={name: added for name, added in add.items() if added},
        remove={name: gone for name, gone in remove.items() if gone},
        put=put | source.put,
        lists=source.lists,
        added_tags=tuple(tag for tag in tags if same(tag) not in had),
        wrote_description=description,
        copied_tags=tuple(copied),
    )


def _retired(wanted: WantedWords, tags: Sequence[str]) -> list[str]:
    kept = {same(tag) for tag in tags}
    return [tag for tag in map(clean, wanted.retired) if same(tag) not in kept]


def _source(
    dump: Dump,
    wanted: WantedWords,
    target: Sequence[str],
    description: str | None,
    *,
    settings: Metadata,
) -> Plan:
    """How to have the file say whose its words are.

    What is not said anew must not name words that are gone: somebody who brings one
    back would seem to have taken it out.
    """
    if not (wanted.provenance and settings.provenance):
        return provenance.without(dump, _untold(dump, target), description=True)
    return provenance.written(
        dump,
        _told(wanted.provenance, target),
        description=description,
        by_person=wanted.by_person,
    )


def _untold(dump: Dump, target: Sequence[str]) -> list[str]:
    """The words a file names as written that it is not to hold any more."""
    told = provenance.found(dump)
    there = {same(word) for word in target}
    return [word for word in told.listed if same(word) not in there] if told else []


def _told(said: Provenance, target: Sequence[str]) -> Provenance:
    """Who said the words of the target; a file tells only of what it holds."""
    there = {same(word) for word in target}
    tags, edited = (
        unique(word for word in map(clean, listed) if same(word) in there)
        for listed in (said.tags, said.edited_tags)
    )
    others = {same(word) for word in [*tags, *edited]}
    return replace(
        said,
        tags=tuple(tags),
        edited_tags=tuple(edited),
        found_tags=tuple(word for word in target if same(word) not in others),
        removed_tags=tuple(
            word for word in said.removed_tags if same(word) not in there
        ),
    )


def cleaning(beside: Dump, photo: Dump, wanted: WantedWords) -> Plan:
    """How to take words out of a sidecar, once the photo has the new ones.

    Retired words go only where the sidecar itself names them as ours; anything else
    there may be the person's, even if it is spelt the same. Refused ones go anyhow.
    """
    ours = provenance.found(beside)
    tags = unique(clean(tag) for tag in wanted.tags)
    named = {*ours.tags} if ours else set()
    retired = [tag for tag in _retired(wanted, tags) if tag in named]
    refused = [*map(clean, wanted.refused)]
    persons = (
        keywords(dump, without=retired, refused=refused) for dump in (beside, photo)
    )
    target = _Target(
        (*tags, *(word for found in persons for word in found)),
        tuple(retired),
        tuple(refused),
    )
    change = trees.change(beside, target.refused, wanted.renamed, target.words)
    remove = dict(change.remove)
    for name in fields.SIDECAR.keyword_lists:
        remove[name] = (*remove.get(name, ()), *_outdated(beside, name, target))
    put, left = {}, Plan()
    if ours:
        put = describing.outdated(beside, ours.description, wanted)
        gone = {entry for listed in remove.values() for entry in listed}
        left = provenance.without(beside, gone, description=not put)
    return Plan(
        add=change.add,
        remove={name: listed for name, listed in remove.items() if listed},
        put=put | left.put,
        lists=left.lists,
    )


def _outdated(dump: Dump, name: str, target: _Target) -> tuple[str, ...]:
    """The entries of a field that are retired, as we wrote them, or refused."""
    ours = {copy_of(tag, name) for tag in target.retired}
    refused = {same(copy_of(word, name)) for word in target.refused}
    kept = target.copies(name)
    return tuple(
        dict.fromkeys(
            entry
            for entry in entries(dump, name)
            if (entry in ours or same(entry) in refused)
            and same(entry) not in kept
            and reading.can_hold(dump, name, entry)
        )
    )


def _missing(
    dump: Dump,
    name: str,
    target: _Target,
    gone: Sequence[str],
    paths: dict[str, str],
) -> tuple[str, ...]:
    """The entries to add to a list field so that it holds every word of the target.

    `paths` are the trees in which words stand, by word, in the form of `TagsList`.
    """
    present = [pair for pair in standing(dump, name) if pair[0] not in gone]
    have = held(present, name)
    in_trees = paths if name == fields.TAGS_LIST else {}
    missing: list[str] = []
    for word in target.words:
        entry = in_trees.get(same(word)) or copy_of(word, name)
        if not same(entry) or have & {same(word), same(entry)}:
            continue
        full = is_full([*missing, entry], name)
        if full or not reading.can_hold(dump, name, entry):
            continue
        missing.append(entry)
        have.add(same(entry))
    return tuple(missing)


def _line_change(dump: Dump, name: str, target: _Target) -> dict[str, str]:
    """The new text of a field that holds all keywords in one; none if it is fine.

    The person's part stays as it is, spaces and all. A text that could not be written
    again exactly is left alone.
    """
    assert name in LINES
    if not dump.can_put_back(name):
        return {}
    text = dump.text(name) or ""
    between = separator(text, name)
    gone = _outdated(dump, name, target)
    present = text.split(between.strip()) if text else []
    kept = [word for word in present if word.strip() not in gone]
    have = {same(word) for word in kept}
    added: list[str] = []
    for word in target.words:
        entry = copy_of(word, name)
        if same(entry) and same(entry) not in have:
            if is_full([*added, entry], name):
                continue
            added.append(entry)
            have.add(same(entry))
    if kept == present and not added:
        return {}
    person = between.strip().join(kept)
    return {name: between.join([person, *added] if person.strip() else added)}
