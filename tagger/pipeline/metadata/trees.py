"""Trees: keywords in a hierarchy, `Animals|dog` in Lightroom, `Animals/dog` in digiKam.

They are the person's, and we make none. Only when a person takes a word out of a photo,
or gives it another name, its leaves are changed in the same way, for otherwise the word
would be there as much as before. The branches above it stay as they are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tagger.pipeline.metadata import fields
from tagger.pipeline.metadata.fields import clean, same
from tagger.pipeline.metadata.keywording import TREES, leaf, standing
from tagger.pipeline.metadata.reading import Dump


@dataclass(frozen=True, slots=True)
class Change:
    """What to add to and remove from the fields with trees.

    `paths` says of each word that stands in a tree then where, as `TagsList` spells it.
    """

    add: dict[str, tuple[str, ...]]
    remove: dict[str, tuple[str, ...]]
    paths: dict[str, str]


def words(dump: Dump) -> list[str]:
    """The words that are leaves of a tree: a person's, for we make none."""
    return [
        word
        for name in TREES
        for entry, word in standing(dump, name)
        if same(entry) != same(word)
    ]


def change(
    dump: Dump,
    refused: Sequence[str],
    renamed: Mapping[str, str],
    target: Sequence[str],
) -> Change:
    """What becomes of the trees of a file.

    `renamed` gives the word that stands in the place of a refused one, by its `same`
    form; it is used where the file is to have that word (`target`).
    """
    unwanted = {same(word) for word in refused}
    kept = {same(word): word for word in target}
    add: dict[str, tuple[str, ...]] = {}
    remove: dict[str, tuple[str, ...]] = {}
    paths: dict[str, str] = {}
    for name, between in TREES.items():
        pairs = standing(dump, name)
        gone = [pair for pair in pairs if same(pair[1]) in unwanted]
        there = [entry for entry, word in pairs if same(word) not in unwanted]
        new: list[str] = []
        for entry, word in gone:
            instead = kept.get(same(renamed.get(same(word), "")))
            moved = _moved(entry, between, instead) if instead else None
            if moved and same(moved) not in {same(one) for one in [*there, *new]}:
                new.append(moved)
        remove[name] = tuple(dict.fromkeys(entry for entry, _ in gone))
        add[name] = tuple(new) if name == fields.HIERARCHY else ()
        paths |= {
            same(leaf(entry, between)): entry.replace("|", "/")
            for entry in [*there, *new]
            if name == fields.HIERARCHY or entry in new
        }
    return Change(
        add={name: entries for name, entries in add.items() if entries},
        remove={name: entries for name, entries in remove.items() if entries},
        paths=paths,
    )


def _moved(entry: str, between: str, word: str) -> str | None:
    """The same place in the tree for another word; None for what is in no tree."""
    above, found, last = entry.rpartition(between)
    while found and not same(last):  # `Animals|dog|` ends in nothing
        above, found, last = above.rpartition(between)
    return f"{above}{found}{clean(word)}" if found else None
