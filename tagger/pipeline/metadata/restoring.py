"""The way back as exiftool is told it, and what came of it.

`wayback` finds out what each field shall hold again; this says so in exiftool's
language, and judges by what is in the file afterwards: a field may be as it was or as
it shall be, no third way, and nothing else may differ.
"""

from dataclasses import dataclass, field

from tagger.pipeline.metadata import editing, fields, provenance, verifying
from tagger.pipeline.metadata.exiftool import entities
from tagger.pipeline.metadata.fields import FILE_ITSELF
from tagger.pipeline.metadata.past import Values
from tagger.pipeline.metadata.reading import Dump
from tagger.records import FileWords, Written

ADDED = "exiftool puts it there"
NO_WAY = "exiftool does not put it back"
EMPTY_BLOCK = "exiftool keeps no EXIF block without a field"
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

    `written` is None if there was nothing to do. `put_back` are the fields that hold
    their earlier value again. `refused` are those somebody has changed since, each with
    a clause saying why; `unrestorable` those that cannot be put back; `waiting` those a
    later write of ours stands on. `left` is all that the write still leaves in the
    file, also what belongs to a block that stays. `words` are those there now.
    """

    written: Written | None
    words: FileWords
    put_back: tuple[str, ...] = ()
    refused: dict[str, str]
    unrestorable: dict[str, str]
    waiting: dict[str, str] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """The way back: what each field shall hold again, and which ones stay, and why.

    `names` are all fields of the write.
    """

    names: frozenset[str] = frozenset()
    goal: dict[str, tuple[str, ...]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    unrestorable: dict[str, str] = field(default_factory=dict)
    waits: dict[str, str] = field(default_factory=dict)
    stays: dict[str, str] = field(default_factory=dict)
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

    def unrestored(self, before: Dump, after: Dump) -> dict[str, str]:
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
            | dict.fromkeys(self._gone_with_block(before, after), EMPTY_BLOCK)
        )

    def _gone_with_block(self, before: Dump, after: Dump) -> list[str]:
        """What is gone with an EXIF block that was there, empty, before the write."""
        order = fields.BYTE_ORDER
        if order not in self.names or not before.all(order) or after.all(order):
            return []
        # A WebP with nothing but its picture is one of another kind.
        marks = [name for name in (fields.WEBP_FLAGS,) if self.goal.get(name)]
        is_other = before.all(FILE_ITSELF) != after.all(FILE_ITSELF)
        return [order, *marks, *([FILE_ITSELF] if is_other else [])]

    def left(self, before: Dump, after: Dump) -> dict[str, str]:
        """What the write still leaves in the file, with the reason of each field.

        Not what merely follows from other fields: that is nobody's to put back later.
        """
        unrestored = self.unrestored(before, after)
        return (
            {
                name: reason
                for name, reason in unrestored.items()
                if name in self.names and name not in verifying.FOLLOWS
            }
            | self.stays
            | self.waits
            | self.refused
        )

    def put_back(self, before: Dump, after: Dump) -> tuple[str, ...]:
        """The fields that changed to what they shall hold."""
        return tuple(
            name
            for name, texts in self.goal.items()
            if after.all(name) == texts != before.all(name) or name == FILE_ITSELF
        )

    @property
    def does_nothing(self) -> bool:
        """Whether there is nothing exiftool could be told to do."""
        return not any(map(is_commanded, self.goal)) and FILE_ITSELF not in self.goal

    def deletes(self, now: Dump) -> bool:
        """Whether nothing but the file itself would be left, and that is ours."""
        return self.goal.get(FILE_ITSELF) == () and not any(
            name not in verifying.FOLLOWS and self.goal.get(name) != ()
            for name in verifying.inside(now)
        )


def _goes(after: Dump) -> list[str]:
    """The byte order goes with the last field of an EXIF block."""
    return [] if fields.BYTE_ORDER in after.values else [fields.BYTE_ORDER]


def is_commanded(name: str) -> bool:
    """Whether exiftool can be told what the field shall hold."""
    group = group_of(name)
    return name not in _OF_ITSELF and (group in _WRITABLE or group.startswith("XMP-"))


def is_list(name: str) -> bool:
    """Whether a field has one entry a keyword."""
    return name in _LISTS


def is_around(name: str) -> bool:
    """Whether a field came along with ours, rather than being one of them."""
    ours = _LISTS | _SINGLE | {*provenance.FIELDS}
    return name not in ours and not name.startswith(fields.XMP_DESCRIPTION)


def group_of(name: str) -> str:
    """exiftool's group of a field."""
    return name.partition(":")[0]


def command(way: Return, now: Dump) -> list[bytes]:
    """The way back in exiftool's language, every value as entities."""
    words = [b"-E", b"-q"]
    for name, texts in way.goal.items():
        if is_commanded(name):
            words += _assignments(name, texts, now, way.goal)
    taken = [name for name, texts in way.goal.items() if not texts or name in _LISTS]
    words += editing.held_blocks(now, taken=taken, besides=way.goal)
    for order in way.goal.get(fields.BYTE_ORDER, ()):
        words.append(b"-ExifByteOrder=" + entities(order))  # of a block made anew
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
    gone = [] if unmarked else taken_out(now.all(name), texts)
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


def taken_out(now: tuple[str, ...], was: tuple[str, ...]) -> list[str] | None:
    """The entries to remove, where that alone leads back; None if it does not."""
    if not was:
        return None
    kept = tuple(entry for entry in now if entry in was)
    return [entry for entry in now if entry not in was] if kept == was else None
