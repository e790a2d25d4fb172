"""The way back from one write: what each of its fields shall hold again, and why not.

A field that still holds what the write left gets its earlier value back; one that
somebody has changed since is theirs now and is left. Where only we went on with it, a
list loses what the write brought, and a text waits until the later write is undone.
What exiftool puts around our fields (a block's version, its resolution) goes with the
block.
"""

from collections.abc import Mapping

from tagger.pipeline.metadata import fields, mixing, provenance, restoring, verifying
from tagger.pipeline.metadata.fields import FILE_ITSELF, copy_of, same
from tagger.pipeline.metadata.past import Past, TagPast, Values
from tagger.pipeline.metadata.reading import Dump
from tagger.pipeline.metadata.restoring import Return
from tagger.records import STAYS, WAITS, Changed

Texts = tuple[str, ...]

CHANGED = "it was changed after it was written"
NEEDED = "other texts of the IPTC block need it"
TWICE = "it stands in the file more than once"

_DESCRIPTIONS = frozenset(
    {
        fields.XMP_DESCRIPTION,
        fields.EXIF_DESCRIPTION,
        fields.IPTC_CAPTION,
        fields.PNG_DESCRIPTION,
        fields.USER_COMMENT,
        provenance.DESCRIPTION,
    }
)
# Taken as a whole: their entries say what holds of the file as it was just then.
_WHOLE = frozenset({provenance.FOUND_TAGS, provenance.REMOVED_TAGS})
_BLOCK_MARKS = frozenset({fields.IPTC_CHARSET, fields.XMP_TOOLKIT})


def find(now: Dump, past: Past) -> Return:
    """How to undo a write in a file that holds `now`."""
    names = past.before.keys() | past.intended.keys()
    goal: dict[str, Texts] = {}
    refused: dict[str, str] = {}
    waits: dict[str, str] = {}
    for name in sorted(names):
        shall = _shall(now, past, name)
        if shall is None:
            if past.changed is Changed.REFUSE and name not in verifying.FOLLOWS:
                refused[name] = CHANGED
            continue
        if shall != now.all(name):
            goal[name] = shall
        if past.is_covered(name) and _can_wait(name):
            waits[name] = WAITS
    unrestorable = {name: TWICE for name in goal if _is_out_of_reach(now, name, goal)}
    goal = {name: texts for name, texts in goal.items() if name not in unrestorable}
    around = _around(now, goal, [*refused, *unrestorable], waits)
    goal = {name: texts for name, texts in goal.items() if not around.get(name)}
    if goal.get(fields.IPTC_CHARSET) == () and _needs_charset(now, goal):
        del goal[fields.IPTC_CHARSET]
        refused[fields.IPTC_CHARSET] = NEEDED
    return Return(
        names=frozenset(names),
        goal=goal,
        refused=refused,
        unrestorable=unrestorable,
        waits=waits,
        stays=dict.fromkeys(around, STAYS),
        renew_digest=_renews_digest(now, goal),
    )


def without_tag(now: Dump, past: TagPast) -> Return:
    """How to take out of a file the entries that our writes made of one tag."""
    goal: dict[str, Texts] = {}
    for write in past.writes:
        for name in write.intended:
            if not (restoring.is_list(name) or mixing.is_line(name)):
                continue
            stands = goal.get(name, now.all(name))
            shall = _without(name, stands, write, past.tag)
            if shall is not None and shall != stands:
                goal[name] = shall
    unrestorable = {name: TWICE for name in goal if _is_out_of_reach(now, name, goal)}
    goal = {name: texts for name, texts in goal.items() if name not in unrestorable}
    block = {fields.BYTE_ORDER for write in past.writes if _had_exif(write)}
    return Return(
        names=frozenset([*goal, *unrestorable, *block]),
        goal=goal,
        unrestorable=unrestorable,
        renew_digest=_renews_digest(now, goal),
    )


def _without(name: str, stands: Texts, write: Past, tag: str) -> Texts | None:
    entry = same(copy_of(tag, name))
    was, ours = _values(write, name)
    return _mixed(
        name,
        stands,
        was,
        ours,
        keeps=lambda found: same(found) != entry,
        returns=lambda _: False,
    )


def _had_exif(past: Past) -> bool:
    return fields.BYTE_ORDER in past.before


def _values(past: Past, name: str) -> tuple[Texts, Texts]:
    return tuple(past.before.get(name, ())), tuple(past.intended.get(name, ()))


def _shall(now: Dump, past: Past, name: str) -> Texts | None:
    """What a field shall hold; None if somebody changed it and it is to be left."""
    was, ours = _values(past, name)
    stands, covered = now.all(name), past.is_covered(name)
    if past.superseded:
        return stands
    if not covered and stands in (was, ours):
        return stands if stands == was else _described(past, name, was)
    is_ours = past.only_ours(name, stands)
    if not is_ours and past.changed is not Changed.OVERWRITE:
        return None
    if not is_ours and name in verifying.FOLLOWS:
        return stands
    shall = _mixed(
        name,
        stands,
        was,
        ours,
        keeps=lambda entry: past.keeps(name, entry),
        returns=lambda entry: past.returns(name, entry),
    )
    if shall is not None:
        return shall
    return stands if covered else _described(past, name, was)


def _mixed(
    name: str,
    stands: Texts,
    was: Texts,
    ours: Texts,
    *,
    keeps: mixing.Judge,
    returns: mixing.Judge,
) -> Texts | None:
    """The list without what the write brought; None if the field holds no list."""
    if name in _WHOLE:
        return None
    if restoring.is_list(name):
        return mixing.mixed(stands, was, ours, keeps=keeps, returns=returns)
    if mixing.is_line(name):
        return mixing.mixed_line(name, stands, was, ours, keeps=keeps, returns=returns)
    return None


def _described(past: Past, name: str, was: Texts) -> Texts:
    """An answer's description in the place of one that was replaced meanwhile."""
    if past.described is None or name not in _DESCRIPTIONS:
        return was
    old, new = past.described
    if was != (copy_of(old, name),):
        return was
    return (copy_of(new, name),) if new else ()


def _can_wait(name: str) -> bool:
    return name not in verifying.FOLLOWS or name in _BLOCK_MARKS


def _is_out_of_reach(now: Dump, name: str, goal: Mapping[str, Texts]) -> bool:
    """Whether a field cannot be written because it stands in the file twice."""
    shall = goal[name]
    if not shall or name not in now.repeated or not restoring.is_commanded(name):
        return False
    # The entries of an IPTC list are so many fields by themselves.
    # XMP of a second picture in the file: all of it is written by one program.
    if name == fields.IPTC_KEYWORDS or restoring.taken_out(now.all(name), shall):
        return False
    return not (name == fields.XMP_TOOLKIT and len({*shall}) == 1)


def _around(
    now: Dump, goal: Values, left: list[str], waits: Mapping[str, str]
) -> dict[str, bool]:
    """What is around fields that are left, or wait, and would go; whether it stays.

    It goes with the block for now if nothing else is in there; but when a later write
    is undone, the block may come back.
    """
    there = [name for name in waits if goal.get(name, now.all(name))]
    held = {_block(name) for name in [*left, *there]}
    listed = held | {_block(name) for name in waits}
    found = {
        name: _block(name) in held
        for name, texts in goal.items()
        if not texts and restoring.is_around(name) and _block(name) in listed
    }
    if FILE_ITSELF in goal and not goal[FILE_ITSELF] and listed:
        found[FILE_ITSELF] = bool(held)
    others = [name for name in provenance.FIELDS if name != provenance.PROGRAM]
    if goal.get(provenance.PROGRAM) == () and any(
        goal.get(name, now.all(name)) for name in others
    ):
        found[provenance.PROGRAM] = True  # without it they say nothing
    return found


def _block(name: str) -> str:
    group = restoring.group_of(name)
    return "XMP" if group.startswith("XMP-") else group


def _needs_charset(now: Dump, goal: Values) -> bool:
    """Whether IPTC texts that stay would be misread without the UTF-8 mark."""
    return any(
        not "".join(goal.get(name, texts)).isascii()
        for name, texts in now.values.items()
        if name.startswith("IPTC:") and name != fields.IPTC_CHARSET
    )


def _renews_digest(now: Dump, goal: Values) -> bool:
    digest = now.text(fields.IPTC_DIGEST)
    is_true = digest is not None and digest == now.text(fields.CURRENT_IPTC_DIGEST)
    return is_true and "IPTC" in map(restoring.group_of, goal)
