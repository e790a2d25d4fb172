"""Descriptions: which of them are the person's, and which fields ours may go into."""

from collections.abc import Sequence

from tagger.pipeline.metadata import fields, provenance, reading
from tagger.pipeline.metadata.fields import Layout, clean, copy_of, same
from tagger.pipeline.metadata.reading import Dump
from tagger.records import WantedWords
from tagger.sections import Metadata


def descriptions(dump: Dump) -> list[tuple[str, str]]:
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


def standing(dump: Dump) -> list[tuple[str, str]]:
    """The descriptions of a file without ours, if somebody took that out.

    It goes by XMP, which we always write: programs that do not know every field leave
    our copies in the others.
    """
    said = descriptions(dump)
    ours = _taken_out(dump)
    return [(name, text) for name, text in said if not _is_ours(name, text, ours)]


def leftovers(dump: Dump) -> list[str]:
    """Our descriptions that somebody took out, and that some fields hold yet."""
    ours = _taken_out(dump)
    return [text for name, text in descriptions(dump) if _is_ours(name, text, ours)]


def _taken_out(dump: Dump) -> list[str]:
    told = provenance.found(dump)
    if told is None or any(
        name.startswith(fields.XMP_DESCRIPTION) for name in dump.values
    ):
        return []
    return [text for text in (told.description, told.edited_description) if text]


def _taken_back(dump: Dump, layout: Layout) -> dict[str, str]:
    """What to put into the fields that hold a description somebody took out."""
    ours = _taken_out(dump)
    return {
        name: ""
        for name in layout.descriptions
        if (text := dump.text(name))
        and dump.can_put_back(name)
        and _is_ours(name, text, ours)
    }


def changes(
    dump: Dump,
    beside: Sequence[Dump],
    wanted: WantedWords,
    *,
    layout: Layout,
    settings: Metadata,
) -> tuple[dict[str, str], str | None]:
    """What to put into the description fields, and ours if it stands there then."""
    new = clean(wanted.description)
    ours = [text for text in (new, clean(wanted.own_description or "")) if same(text)]
    persons = [
        text
        for each in (dump, *beside)
        for name, text in descriptions(each)
        if not _is_ours(name, text, ours)
    ]
    may_replace = wanted.by_person or settings.replace_person_description
    if not same(new):
        return _taken_back(dump, layout), None
    if persons and not may_replace:
        return {}, None
    names = [*layout.descriptions]
    if layout.exif and _may_comment(dump, ours, settings):
        names.append(fields.USER_COMMENT)
    put = {}
    for name in names:
        copy = copy_of(new, name)
        writable = dump.can_put_back(name) and reading.can_hold(dump, name, copy)
        if writable and (dump.text(name) or "") != copy:
            put[name] = copy
    return put, new


def outdated(beside: Dump, ours: str | None, wanted: WantedWords) -> dict[str, str]:
    """What to put into a sidecar where our last description stands, not the new one.

    `ours` is what the sidecar itself names as ours.
    """
    new, own = clean(wanted.description), clean(wanted.own_description or "")
    stands = beside.all(fields.XMP_DESCRIPTION) == (own,) == (ours,)
    return {fields.XMP_DESCRIPTION: ""} if stands and same(new) and new != own else {}


def _is_ours(name: str, text: str, ours: Sequence[str]) -> bool:
    return text.strip() in {copy_of(own, name).strip() for own in ours}


def _may_comment(dump: Dump, ours: Sequence[str], settings: Metadata) -> bool:
    """Whether UserComment is to carry the description: asked for, and not taken."""
    comment = dump.text(fields.USER_COMMENT) or ""
    free = {"", *(copy_of(own, fields.USER_COMMENT) for own in ours)}
    return settings.user_comment == "if_empty" and comment.strip("\0 ") in free
