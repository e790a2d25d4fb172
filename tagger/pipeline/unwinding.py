"""Unwinding: the writes of one photo are put back, one by one and newest first.

The same whether it is done or only tried on copies: `Hands` are what differs.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from tagger.errors import ImageError, shown
from tagger.pipeline.metadata.past import Later, Past, TagPast
from tagger.pipeline.metadata.restoring import Restored
from tagger.pipeline.metadata.writing import Writer
from tagger.records import Changed, Intent
from tagger.tracking import layers, standing
from tagger.tracking.database import Database
from tagger.tracking.history import PastWrite
from tagger.tracking.layers import Layer

WHOLE = "(all of it)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One write to be put back; or one tag to be taken out of a file, which any of
    several writes may have brought."""

    writes: tuple[PastWrite, ...]
    tag: str | None = None

    @property
    def first(self) -> PastWrite:
        return self.writes[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class PutBack:
    """What came of one step, or would come of it, by field.

    `refused` are the fields that were left because somebody changed them since, or all
    of it because the file is out of reach; `unrestorable` those exiftool cannot put
    back; `waiting` those that go back once later writes are undone.
    """

    write: PastWrite
    file: str
    put_back: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    unrestorable: Mapping[str, str] = field(default_factory=dict)
    waiting: Mapping[str, str] = field(default_factory=dict)
    is_undone: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a photo is, and the `target` that a write of it changed.

    `sidecar` and `others` are what else holds words of the photo.
    """

    photo: bytes
    target: bytes
    sidecar: bytes
    others: tuple[bytes, ...] = ()


class Hands(Protocol):
    """Who does it: with the photo itself, or with copies."""

    def place(self, write: PastWrite) -> Place:
        """Where the photo is, and the file the write changed. Raises `ImageError`."""

    def identity(self) -> str:
        """The picture's identity."""

    def announce(self, step: Step, intent: Intent) -> None:
        """The file is about to be replaced; what this raises stops that."""

    def done(self, step: Step, restored: Restored) -> None:
        """It was replaced."""

    def nothing(self, step: Step, target: bytes, restored: Restored) -> None:
        """Nothing had to be replaced for the write to be undone."""

    def failed(self, step: Step) -> None:
        """It was announced, but may not have been replaced."""


def refused(write: PastWrite, reason: str) -> PutBack:
    """A write of which nothing was put back."""
    return PutBack(write=write, file=shown(write.target), refused={WHOLE: reason})


class Unwinding:
    """One photo while its writes are put back."""

    def __init__(
        self,
        db: Database,
        writer: Writer,
        hands: Hands,
        file_id: int,
        *,
        changed: Changed,
        until: int | None = None,
    ) -> None:
        """With `until` the photo is a copy, made when that was the last write."""
        self._db, self._writer, self._hands = db, writer, hands
        self._changed, self._until = changed, until
        self._layers = layers.of(db, file_id, until=until)
        self._gone: set[int] = set()

    def carry(self, step: Step) -> PutBack:
        """Put one step back; steps must come newest first."""
        write, announced = step.first, list[Intent]()

        def announce(intent: Intent) -> None:
            self._hands.announce(step, intent)
            announced.append(intent)

        try:
            place = self._hands.place(write)
            restored = self._writer.restore(
                place.photo,
                place.target,
                self._past(step),
                mode=write.mode,
                identity=self._hands.identity(),
                on_intent=announce,
                sidecar=place.sidecar,
                others=place.others,
            )
        except ImageError as error:
            self._hands.failed(step)
            return refused(write, error.reason)
        if announced:
            self._hands.done(step, restored)
        elif is_news := self._is_news(step, restored):
            self._hands.nothing(step, place.target, restored)
        if announced or is_news:
            self._learn(step, announced, restored)
        return PutBack(
            write=write,
            file=shown(write.target),
            put_back=restored.put_back,
            refused=restored.refused,
            unrestorable=restored.unrestorable,
            waiting=restored.waiting,
            is_undone=bool(announced) or is_news,
        )

    def _past(self, step: Step) -> Past | TagPast:
        if step.tag is not None:
            return TagPast(
                tag=step.tag,
                writes=tuple(
                    Past(before=one.before, intended=one.intended)
                    for one in step.writes
                ),
            )
        write = step.first
        heed = layers.heed(self._db, write, gone=self._gone, until=self._until)
        return Past(
            before=write.before,
            intended=write.intended,
            later=tuple(
                Later(before=one.before, intended=one.intended, stands=one.stands)
                for one in self._layers
                if one.id > write.id and one.mode is write.mode
            ),
            belonging=heed.belonging,
            ours=heed.ours,
            described=heed.described,
            superseded=heed.superseded,
            changed=self._changed,
        )

    def _is_news(self, step: Step, restored: Restored) -> bool:
        """Whether a write counts as undone though its file is as it was."""
        if step.tag is not None or restored.refused:
            return False
        return step.first.is_whole or restored.left != step.first.left

    def _learn(self, step: Step, announced: list[Intent], restored: Restored) -> None:
        """Know of the next step what this one did."""
        last = self._layers[-1].id if self._layers else 0
        if step.tag is None:
            self._turn(step.first, restored)
        for intent in announced:
            last += 1
            self._layers.append(
                Layer(
                    id=last,
                    undoes=None if step.tag else step.first.id,
                    mode=intent.mode,
                    before=intent.before,
                    intended=intent.intended,
                    stands=frozenset(intent.intended) if step.tag else frozenset(),
                )
            )

    def _turn(self, write: PastWrite, restored: Restored) -> None:
        """What stands on the fields of others, now that this write does not."""
        left = frozenset(
            name
            for name, reason in restored.left.items()
            if reason not in standing.OF_ITSELF
        )
        by_id = {one.id: n for n, one in enumerate(self._layers)}
        below, stands = write.id, False
        while (undoes := self._layers[by_id[below]].undoes) in by_id:
            below, stands = undoes, not stands
        layer = self._layers[by_id[below]]
        all_of_it = frozenset(layer.before) | frozenset(layer.intended)
        self._layers[by_id[below]] = dataclasses.replace(
            layer, stands=all_of_it - left if stands else left
        )
        if not left and not stands:
            self._gone.add(below)
