"""A plan: what to do to the fields of one file, before anything is done."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do to one file. An empty one says that the file is as it shall be.

    `add` and `remove` hold entries of list fields, `lists` the new entries of whole
    ones, `put` the new text of single ones (an empty text removes the field).
    `added_tags` are the wanted tags the file did not have. `wrote_description` is ours
    as it stands there afterwards, None where the person's stays. `copied_tags` are the
    person's that a sidecar gets from what stands with it.
    """

    add: dict[str, tuple[str, ...]] = field(default_factory=dict)
    remove: dict[str, tuple[str, ...]] = field(default_factory=dict)
    put: dict[str, str] = field(default_factory=dict)
    lists: dict[str, tuple[str, ...]] = field(default_factory=dict)
    added_tags: tuple[str, ...] = ()
    wrote_description: str | None = None
    copied_tags: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.touched

    @property
    def touched(self) -> frozenset[str]:
        """The fields it changes."""
        return frozenset([*self.add, *self.remove, *self.put, *self.lists])
