"""The past: what is on record of a write that is to be put back, and of those since.

Where a later write of ours stands on a field, more than its two values must be known:
which of its words belong on the photo all the same, and which were ever ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tagger.pipeline.metadata.fields import copy_of, same
from tagger.records import Changed

Values = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """A change of ours to the same file after the write; `stands` are the fields of it
    that are not put back themselves."""

    before: Values
    intended: Values
    stands: frozenset[str] = frozenset()

    def touches(self, name: str) -> bool:
        return name in self.before or name in self.intended


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """One recorded write, as an undo of it needs to know it.

    `before` and `intended` are those of its `Intent`, as far as they are to be put
    back; `later` is what we did to the same file since, oldest first. Of the words it
    brought, those among `belonging` stay, somebody else says them too; of those it took
    out, words of `ours` that belong there no more do not come back. Where the earlier
    description is that of an answer which another one has replaced since, `described`
    names both. Nothing is put back while another answer has taken its place
    (`superseded`).
    """

    before: Values
    intended: Values
    later: tuple[Later, ...] = ()
    belonging: frozenset[str] = frozenset()
    ours: frozenset[str] = frozenset()
    described: tuple[str, str] | None = None
    changed: Changed = Changed.REFUSE
    superseded: bool = False

    def since(self, name: str) -> list[Later]:
        """What we did to one field since, oldest first."""
        return [one for one in self.later if one.touches(name)]

    def only_ours(self, name: str, stands: tuple[str, ...]) -> bool:
        """Whether nobody but us changed a field since, from step to step until now."""
        reached = tuple(self.intended.get(name, ()))
        for one in self.since(name):
            if tuple(one.before.get(name, ())) != reached:
                return False
            reached = tuple(one.intended.get(name, ()))
        return reached == stands

    def is_covered(self, name: str) -> bool:
        """Whether a later write stands on the field."""
        return self.superseded or any(name in one.stands for one in self.later)

    def keeps(self, name: str, entry: str) -> bool:
        """Whether an entry the write brought into a field belongs there anyhow."""
        return same(entry) in _copies(self.belonging, name)

    def returns(self, name: str, entry: str) -> bool:
        """Whether an entry the write took out of a field comes back."""
        return same(entry) not in _copies(self.ours, name) or self.keeps(name, entry)


def _copies(tags: frozenset[str], name: str) -> set[str]:
    return {same(copy_of(tag, name)) for tag in tags}


@dataclass(frozen=True, slots=True, kw_only=True)
class TagPast:
    """The writes that may have brought one tag into a file, in which nothing else is
    to be changed."""

    tag: str
    writes: tuple[Past, ...] = field(default=())
