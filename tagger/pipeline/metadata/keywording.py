"""Keywords: which a file holds, each word once, and which somebody took out of it.

A word stands in several fields, and few programs know all of them. What a file names as
written by us stood in each when it was written; so a word that one field lacks by now
was taken out there, and the others only have it yet.
"""

from collections.abc import Collection, Sequence

from tagger.pipeline.metadata import fields, provenance, reading
from tagger.pipeline.metadata.fields import copy_of, same, unique
from tagger.pipeline.metadata.reading import Dump

LINES = (fields.XP_KEYWORDS, fields.PNG_KEYWORDS)
TREES = {fields.HIERARCHY: "|", fields.TAGS_LIST: "/"}

# A longer word, or one beyond ASCII, may be gone because a program spoilt it.
_PLAIN_LENGTH = 32


def keywords(
    dump: Dump, *, without: Sequence[str] = (), refused: Sequence[str] = ()
) -> list[str]:
    """Every keyword of a file once, richest field first.

    Left out are the entries of `without`, as they are spelt, and the words of
    `refused`, in any spelling. Of a hierarchy (`Places|Japan`) the last part is the
    word; we write none, so each is the person's, also one of a single part.
    """

    def words(name: str) -> list[str]:
        written = name != fields.HIERARCHY
        ours = {copy_of(word, name) for word in without} if written else set()
        unwanted = {same(copy_of(word, name)) for word in refused}
        return [
            word
            for entry, word in standing(dump, name)
            if entry not in ours and same(word) not in unwanted
        ]

    found = [*words(fields.SUBJECT), *words(fields.TAGS_LIST), *words(fields.HIERARCHY)]
    for name in (fields.IPTC_KEYWORDS, *LINES):
        known = {same(copy_of(word, name)) for word in found}
        found += [word for word in words(name) if same(word) not in known]
    return unique(found)


def entries(dump: Dump, name: str) -> list[str]:
    """The keywords in one field; one that holds them in a single text is split."""
    if name in LINES:
        return [
            word.strip()
            for text in dump.all(name)
            for word in text.split(separator(text, name).strip())
        ]
    if name == fields.IPTC_KEYWORDS:
        return list(reading.iptc_texts(dump, name))
    return list(dump.all(name))


def standing(dump: Dump, name: str) -> list[tuple[str, str]]:
    """Each entry of a field, with the word it stands for."""
    listed = entries(dump, name)
    if name == fields.HIERARCHY:
        return [(entry, leaf(entry, "|")) for entry in listed]
    if name != fields.TAGS_LIST:
        return [(entry, entry) for entry in listed]
    trees = {
        same(entry.replace("|", "/")): leaf(entry, "|")
        for entry in dump.all(fields.HIERARCHY)
    }
    flat = {
        same(entry)
        for field in (fields.SUBJECT, fields.IPTC_KEYWORDS, *LINES)
        for entry in entries(dump, field)
    }
    return [
        (
            entry,
            entry
            if same(entry) in flat
            else trees.get(same(entry)) or leaf(entry, "/"),
        )
        for entry in listed
    ]


def held(pairs: Sequence[tuple[str, str]], name: str) -> set[str]:
    """The words that entries of a field stand for, read in either way, as `same` forms.

    `b/w` is a word where it is one elsewhere, and holds the leaf `w` all the same.
    """
    found = {same(text) for pair in pairs for text in pair}
    if name in TREES:
        found |= {same(leaf(entry, TREES[name])) for entry, _ in pairs}
    return found


def separator(text: str, name: str) -> str:
    """`;`, or the comma in a PNG whose author used commas."""
    commas = name == fields.PNG_KEYWORDS and "," in text and ";" not in text
    return ", " if commas else ";"


def leaf(entry: str, between: str) -> str:
    """The last part of a hierarchy that says something."""
    parts = [part for part in entry.split(between) if same(part)]
    return parts[-1] if parts else ""


def taken_out(dump: Dump) -> list[str]:
    """The words that somebody took out of a file since we wrote it."""
    said = provenance.found(dump)
    if said is None:
        return []
    listed = unique(said.listed)
    names = (fields.SUBJECT, fields.TAGS_LIST, fields.IPTC_KEYWORDS, *LINES)
    gone = {same(word) for name in names for word in _lacking(dump, name, listed)}
    return [word for word in listed if same(word) in gone]


def _lacking(dump: Dump, name: str, listed: Collection[str]) -> list[str]:
    """The words that a field had, and has no more because they were taken out.

    XMP's own list is believed in any case. Another field proves nothing if most of its
    words are gone: a program put its own there, or threw the whole block away.
    """
    there = held(standing(dump, name), name)
    copies = {word: copy_of(word, name) for word in listed}
    expected = [word for word, copy in copies.items() if same(copy)]
    gone = [word for word in expected if same(copies[word]) not in there]
    if name == fields.SUBJECT:
        return gone
    if 2 * len(gone) > len(expected) or is_full(list(copies.values()), name):
        return []
    if name in LINES and not dump.can_put_back(name):
        return []
    return [word for word in gone if word.isascii() and len(word) <= _PLAIN_LENGTH]


def is_full(texts: Sequence[str], name: str) -> bool:
    """Whether so many new entries are more than the block of a field has room for."""
    room_bytes = {
        fields.IPTC_KEYWORDS: fields.BLOCK_BYTES,
        **dict.fromkeys(LINES, fields.BLOCK_BYTES // 2),
    }.get(name)
    return room_bytes is not None and len("".join(texts).encode()) > room_bytes
