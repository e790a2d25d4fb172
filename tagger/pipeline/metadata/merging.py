"""What a file's words shall become: the person's as they are, ours beside them.

Pure functions over dumps. Nothing of the person's is rewritten: list fields are only
added to and taken from, so that each entry there keeps its spelling, its bytes and its
order. Two spellings of one word (case, Unicode form, spacing) are one word, and a copy
shortened to fit its field is no word of its own; thus running again adds nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tagger.config import Metadata
from tagger.pipeline.metadata import fields, reading
from tagger.pipeline.metadata.fields import Layout, clean, copy_of, same
from tagger.pipeline.metadata.reading import Dump
from tagger.records import FileWords, WantedWords

_LINES = (fields.XP_KEYWORDS, fields.PNG_KEYWORDS)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do to one file. An empty one says that the file is as it shall be.

    `add` and `remove` hold entries of list fields, `put` the new text of single ones
    (an empty text removes the field). `added_tags` are the wanted tags the file did not
    have. `wrote_description` is ours as it stands there afterwards, None where the
    person's stays.
    """

    add: dict[str, tuple[str, ...]] = field(default_factory=dict)
    remove: dict[str, tuple[str, ...]] = field(default_factory=dict)
    put: dict[str, str] = field(default_factory=dict)
    added_tags: tuple[str, ...] = ()
    wrote_description: str | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.add or self.remove or self.put)


def words(dump: Dump, beside: Dump | None = None) -> FileWords:
    """Description and tags of a photo; those of `beside`, its sidecar, come first."""
    dumps = [beside, dump] if beside else [dump]
    said = [text for each in dumps for _, text in _descriptions(each)]
    tags = _unique(word for each in dumps for word in keywords(each))
    return FileWords(description=said[0] if said else None, tags=tuple(tags))


def keywords(dump: Dump, *, without: Sequence[str] = ()) -> list[str]:
    """Every keyword of a file once, richest field first, entries of ours left out.

    Of a hierarchy (`Places|Japan`) the last part is the word.
    """

    def entries(name: str) -> list[str]:
        ours = {copy_of(word, name) for word in without}
        return [entry for entry in _entries(dump, name) if entry not in ours]

    found = entries(fields.SUBJECT)
    poor = {name: entries(name) for name in (fields.IPTC_KEYWORDS, *_LINES)}
    flat = {
        same(word) for field_words in (found, *poor.values()) for word in field_words
    }
    found += [
        entry if same(entry) in flat else _leaf(entry, "/")
        for entry in entries(fields.TAGS_LIST)
    ]
    found += [_leaf(entry, "|") for entry in entries(fields.HIERARCHY)]
    for name, copies in poor.items():
        known = {same(copy_of(word, name)) for word in found}
        found += [word for word in copies if same(word) not in known]
    return _unique(found)


def plan(
    dump: Dump,
    wanted: WantedWords,
    *,
    layout: Layout,
    settings: Metadata,
    beside: Dump | None = None,
) -> Plan:
    """How to bring `wanted` into a file whose metadata is `dump`.

    `beside` is what stands with it: the sidecar of a photo, or the photo of a sidecar.
    Its description counts as the photo's. A sidecar also takes its keywords over,
    because programs that read the sidecar may not look into the photo.
    """
    beside = beside or Dump()
    tags = _unique(clean(tag) for tag in wanted.tags)
    kept = {same(tag) for tag in tags}
    retired = [tag for tag in map(clean, wanted.retired) if same(tag) not in kept]
    persons = keywords(dump, without=retired)
    if layout.sidecar:
        persons += keywords(beside, without=retired)
    target = _unique(clean(word) for word in [*persons, *tags])
    add, remove = {}, {}
    for name in layout.keyword_lists:
        remove[name] = _outdated(dump, name, target, retired)
        add[name] = _missing(dump, name, target, remove[name])
    put, description = _description_changes(dump, beside, wanted, layout, settings)
    for name in layout.keyword_lines:
        put |= _line_change(dump, name, target, retired)
    had = {same(word) for word in persons}
    return Plan(
        add={name: entries for name, entries in add.items() if entries},
        remove={name: entries for name, entries in remove.items() if entries},
        put=put,
        added_tags=tuple(tag for tag in tags if same(tag) not in had),
        wrote_description=description,
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


def _unique(entries: Iterable[str]) -> list[str]:
    """The entries that say something, each word once, in its first spelling."""
    first: dict[str, str] = {}
    for entry in entries:
        first.setdefault(same(entry), entry)
    first.pop("", None)
    return list(first.values())


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
            and _can_hold(dump, name, entry)
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
        if not _can_hold(dump, name, entry) or _is_full(missing, entry, room_bytes):
            continue
        missing.append(entry)
        have.add(same(entry))
    return tuple(missing)


def _can_hold(dump: Dump, name: str, text: str) -> bool:
    """False for non-ASCII in an IPTC block whose encoding is the person's secret."""
    iptc = name in (fields.IPTC_KEYWORDS, fields.IPTC_CAPTION)
    return not iptc or text.isascii() or not reading.iptc_is_foreign(dump)


def _is_full(entries: Sequence[str], entry: str, room_bytes: int | None) -> bool:
    if room_bytes is None:
        return False
    return len("".join([*entries, entry]).encode()) > room_bytes


def _line_change(
    dump: Dump, name: str, target: Sequence[str], retired: Sequence[str]
) -> dict[str, str]:
    """The new text of a field that holds all keywords in one; none if it is fine.

    The person's part stays as it is, spaces and all. A text that could not be written
    again exactly, or that stands there twice, is left alone.
    """
    if name in dump.raw or name in dump.repeated:
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


def _descriptions(dump: Dump) -> list[tuple[str, str]]:
    """(field, text) of every description somebody wrote, best field first."""
    languages = [
        name for name in dump.values if name.startswith(fields.XMP_DESCRIPTION + "-")
    ]
    exif_and_png = (fields.EXIF_DESCRIPTION, fields.PNG_DESCRIPTION)
    found = [
        (name, text)
        for name in (fields.XMP_DESCRIPTION, *languages, *exif_and_png)
        for text in dump.all(name)
    ]
    found += [
        (fields.IPTC_CAPTION, text)
        for text in reading.iptc_texts(dump, fields.IPTC_CAPTION)
    ]
    return [(name, text) for name, text in found if not fields.is_filler(text)]


def _description_changes(
    dump: Dump,
    beside: Dump,
    wanted: WantedWords,
    layout: Layout,
    settings: Metadata,
) -> tuple[dict[str, str], str | None]:
    """What to put into the description fields, and ours if it stands there then."""
    new = clean(wanted.description)
    ours = [text for text in (new, clean(wanted.own_description or "")) if same(text)]
    persons = [
        text
        for name, text in [*_descriptions(dump), *_descriptions(beside)]
        if text.strip() not in {copy_of(own, name).strip() for own in ours}
    ]
    if not same(new) or (persons and not settings.replace_person_description):
        return {}, None
    names = [*layout.descriptions]
    if layout.exif and _may_comment(dump, ours, settings):
        names.append(fields.USER_COMMENT)
    put = {}
    for name in names:
        copy = copy_of(new, name)
        alone = name not in dump.raw and name not in dump.repeated
        if alone and dump.text(name) != copy and _can_hold(dump, name, copy):
            put[name] = copy
    return put, new


def _may_comment(dump: Dump, ours: Sequence[str], settings: Metadata) -> bool:
    """Whether UserComment is to carry the description: asked for, and not taken."""
    comment = dump.text(fields.USER_COMMENT) or ""
    free = {"", *(copy_of(own, fields.USER_COMMENT) for own in ours)}
    return settings.user_comment == "if_empty" and comment.strip("\0 ") in free
