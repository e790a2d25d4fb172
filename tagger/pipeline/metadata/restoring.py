"""Putting back what one write changed, field by field, and nothing else.

A recorded write names the fields it altered, what they held before and after. A field
that still holds what the write left gets its earlier value back; one that somebody has
changed since is theirs now and is left. What exiftool puts around our fields (a block's
version, its resolution) goes with the block.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tagger.pipeline.metadata import editing, fields, provenance, verifying
from tagger.pipeline.metadata.exiftool import entities
from tagger.pipeline.metadata.fields import FILE_ITSELF
from tagger.pipeline.metadata.reading import Dump
from tagger.records import Written

Values = Mapping[str, tuple[str, ...]]

CHANGED = "it was changed after it was written"
NEEDED = "other texts of the IPTC block need it"
TWICE = "it stands in the file more than once"
ADDED = "exiftool puts it there"
NO_WAY = "exiftool does not put it back"
_REORDERED = "the fields of its IPTC block stand in another order"
_NO_WAYS = {
    "ExifTool:Warning": "exiftool finds other faults in the file than before",
    "GIF:GIFVersion": "with words in it, a GIF is one of version 89a",
    fields.CURRENT_IPTC_DIGEST: _REORDERED,
    fields.IPTC_DIGEST: _REORDERED,
    "QuickTime:MediaDataSize": "exiftool has arranged the data of the file anew",
}

_LISTS = frozenset(
    {
        fields.SUBJECT,
        fields.TAGS_LIST,
        fields.HIERARCHY,
        fields.IPTC_KEYWORDS,
        *provenance.BAGS,
    }
)
_SINGLE = frozenset(
    {
        fields.XP_KEYWORDS,
        fields.PNG_KEYWORDS,
        fields.XMP_DESCRIPTION,
        fields.EXIF_DESCRIPTION,
        fields.IPTC_CAPTION,
        fields.PNG_DESCRIPTION,
        fields.USER_COMMENT,
    }
)
# Groups exiftool can write to; the others follow from what is in the file.
_WRITABLE = ("IFD0", "ExifIFD", "IPTC", "PNG")
_OF_ITSELF = frozenset({FILE_ITSELF, "XMP-xmpNote:HasExtendedXMP"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What came of putting one write back.

    `written` is None if there was nothing to do. `refused` are the fields somebody has
    changed since, `unrestorable` those that cannot be put back, each with a clause
    saying why; all other fields of the write hold again what they held before it.
    """

    written: Written | None
    refused: dict[str, str]
    unrestorable: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """The way back: what each field shall hold again, and which ones stay, and why."""

    goal: dict[str, tuple[str, ...]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    unrestorable: dict[str, str] = field(default_factory=dict)
    renew_digest: bool = False

    def check(self, before: Dump, after: Dump) -> list[str]:
        """What went wrong: a field may be as it was or as it shall be, no third way."""
        return sorted(
            [
                *verifying.lost(before, after, besides={*self.goal, *_goes(after)}),
                *(
                    name
                    for name, texts in self.goal.items()
                    if name not in verifying.FOLLOWS
                    and after.all(name) not in (texts, before.all(name))
                ),
            ]
        )

    def left(self, before: Dump, after: Dump) -> dict[str, str]:
        """The fields that do not hold what they held before, though they should."""
        added = verifying.inside(after) - verifying.inside(before) - self.goal.keys()
        return (
            self.unrestorable
            | dict.fromkeys(sorted(added), ADDED)
            | {
                name: _NO_WAYS.get(name, NO_WAY)
                for name, texts in self.goal.items()
                if after.all(name) != texts and name != FILE_ITSELF
            }
        )

    @property
    def does_nothing(self) -> bool:
        """Whether there is nothing exiftool could be told to do."""
        return not any(map(_is_commanded, self.goal)) and FILE_ITSELF not in self.goal

    def deletes(self, now: Dump) -> bool:
        """Whether nothing but the file itself would be left, and that is ours."""
        return self.goal.get(FILE_ITSELF) == () and not any(
            name not in verifying.FOLLOWS and self.goal.get(name) != ()
            for name in verifying.inside(now)
        )


def _goes(after: Dump) -> list[str]:
    """The byte order goes with the last field of an EXIF block."""
    name = "File:ExifByteOrder"
    return [] if name in after.values else [name]


def way_back(now: Dump, before: Values, intended: Values) -> Return:
    """How to undo a write that changed fields from `before` to `intended`."""
    goal: dict[str, tuple[str, ...]] = {}
    refused: dict[str, str] = {}
    unrestorable: dict[str, str] = {}
    for name in sorted(before.keys() | intended.keys()):
        was, ours = tuple(before.get(name, ())), tuple(intended.get(name, ()))
        stands = now.all(name)
        if was == stands:
            continue
        if stands != ours:
            if name not in verifying.FOLLOWS:
                refused[name] = CHANGED
        elif reason := _obstacle(now, name, was):
            unrestorable[name] = reason
        else:
            goal[name] = was
    blocks = {_group(name) for name in [*refused, *unrestorable]}
    goal = {
        name: texts
        for name, texts in goal.items()
        if not (_is_around(name) and _group(name) in blocks)
    }
    if goal.get(fields.IPTC_CHARSET) == () and _needs_charset(now, goal):
        del goal[fields.IPTC_CHARSET]
        refused[fields.IPTC_CHARSET] = NEEDED
    return Return(
        goal=goal,
        refused=refused,
        unrestorable=unrestorable,
        renew_digest=_digest_is_true(now) and "IPTC" in map(_group, goal),
    )


def _obstacle(now: Dump, name: str, was: tuple[str, ...]) -> str | None:
    """Why a field that is still ours cannot be written, if so."""
    if not was or name not in now.repeated or not _is_commanded(name):
        return None
    # The entries of an IPTC list are so many fields by themselves.
    # XMP of a second picture in the file: all of it is written by one program.
    if name == fields.IPTC_KEYWORDS or _taken_out(now.all(name), was):
        return None
    if name == fields.XMP_TOOLKIT and len({*was}) == 1:
        return None
    return TWICE


def _is_commanded(name: str) -> bool:
    """Whether exiftool can be told what the field shall hold."""
    group = _group(name)
    return name not in _OF_ITSELF and (group in _WRITABLE or group.startswith("XMP-"))


def _group(name: str) -> str:
    return name.partition(":")[0]


def _is_around(name: str) -> bool:
    """Whether a field came along with ours, rather than being one of them."""
    ours = _LISTS | _SINGLE | {*provenance.FIELDS}
    return name not in ours and not name.startswith(fields.XMP_DESCRIPTION)


def _needs_charset(now: Dump, goal: Values) -> bool:
    """Whether IPTC texts that stay would be misread without the UTF-8 mark."""
    return any(
        not "".join(goal.get(name, texts)).isascii()
        for name, texts in now.values.items()
        if name.startswith("IPTC:") and name != fields.IPTC_CHARSET
    )


def _digest_is_true(now: Dump) -> bool:
    digest = now.text(fields.IPTC_DIGEST)
    return digest is not None and digest == now.text(fields.CURRENT_IPTC_DIGEST)


def command(way: Return, now: Dump) -> list[bytes]:
    """The way back in exiftool's language, every value as entities."""
    words = [b"-E", b"-q"]
    for name, texts in way.goal.items():
        if _is_commanded(name):
            words += _assignments(name, texts, now, way.goal)
    taken = [name for name, texts in way.goal.items() if not texts or name in _LISTS]
    words += editing.held_blocks(now, taken=taken, besides=way.goal)
    # A digest that was true is made true, not put back: that is the same if all of the
    # block is as it was, and right if not.
    if way.renew_digest:
        words.append(editing.NEW_DIGEST)
    return words


def _assignments(
    name: str, texts: tuple[str, ...], now: Dump, goal: Values
) -> list[bytes]:
    # Once the mark of UTF-8 goes, exiftool finds no entries by their UTF-8 texts.
    unmarked = name == fields.IPTC_KEYWORDS and fields.IPTC_CHARSET in goal
    gone = [] if unmarked else _taken_out(now.all(name), texts)
    if name in _LISTS and gone:
        # Entries that stay are not written again: they keep their very bytes.
        return [f"-{name}-=".encode() + entities(entry) for entry in gone]
    target = editing.assigned(name)
    if not texts:
        return [f"-{target}=".encode()]
    # `#` takes the value as it is stored, `^` lets an empty one stand.
    if name == fields.XMP_TOOLKIT:
        texts = texts[:1]
    return [
        f"-{target}#{'' if text else '^'}=".encode() + entities(text) for text in texts
    ]


def _taken_out(now: tuple[str, ...], was: tuple[str, ...]) -> list[str] | None:
    """The entries to remove, where that alone leads back; None if it does not."""
    if not was:
        return None
    kept = tuple(entry for entry in now if entry in was)
    return [entry for entry in now if entry not in was] if kept == was else None
