"""Agreement: what a comparison comes to, in numbers; nothing is asked or stored.

Tags are compared by their keys, so that `Dog` and `dog` agree. Two answers agree by
their Jaccard index: the tags both have, of those either has.
"""

import statistics
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from tagger.tracking import tagnames
from tagger.tracking.contested import Answered, Outcome, Verdict, Whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One contender in numbers. `win_rate` is of the photos somebody was chosen for;
    `agreement` with the tags photos have now, None where that cannot be told.
    """

    contender_id: int
    answered: int
    invalid: int
    failed: int
    withheld: int
    tags_a_photo: float | None
    median_s: float | None
    tokens_in: int
    tokens_out: int
    wins: int
    win_rate: float | None
    agreement: float | None


@dataclass(frozen=True, slots=True)
class Pair:
    """How much two contenders agree about the photos both answered for."""

    one: int
    other: int
    agreement: float
    photos: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """All of it; `decided` are photos with a winner, `winner` the one of most wins."""

    scores: tuple[Score, ...]
    pairs: tuple[Pair, ...]
    decided: int
    ties: int
    neither: int
    winner: int | None


def jaccard(one: Collection[str], other: Collection[str]) -> float:
    """What two sets of tags share, 0 to 1; two without any tag are the same."""
    mine, yours = _keys(one), _keys(other)
    return len(mine & yours) / len(mine | yours) if mine | yours else 1.0


def result(whole: Whole, present: Mapping[int, Sequence[str]]) -> Result:
    """The numbers; `present` are the tags photos have now, by their ids."""
    by: dict[int, list[Answered]] = {one.id: [] for one in whole.comparison.contenders}
    for answer in whole.answers:
        by[answer.contender_id].append(answer)
    best = [one.contender_id for one in whole.choices if one.verdict is Verdict.BEST]
    verdicts = [one.verdict for one in whole.choices]
    return Result(
        scores=tuple(_score(id_, said, best, present) for id_, said in by.items()),
        pairs=tuple(
            pair
            for one, other in combinations(by, 2)
            if (pair := _pair(one, other, by)) is not None
        ),
        decided=len(best),
        ties=verdicts.count(Verdict.TIE),
        neither=verdicts.count(Verdict.NEITHER),
        winner=_winner(best),
    )


def _score(
    contender_id: int,
    said: Sequence[Answered],
    best: Sequence[int | None],
    present: Mapping[int, Sequence[str]],
) -> Score:
    outcomes = [one.outcome for one in said]
    good = [one for one in said if one.outcome is Outcome.ANSWERED]
    seconds = [one.seconds for one in good if one.seconds is not None]
    shared = [
        jaccard(one.tags, present[one.file_id])
        for one in good
        if present.get(one.file_id)
    ]
    wins = best.count(contender_id)
    return Score(
        contender_id=contender_id,
        answered=len(good),
        invalid=outcomes.count(Outcome.INVALID),
        failed=outcomes.count(Outcome.FAILED),
        withheld=outcomes.count(Outcome.WITHHELD),
        tags_a_photo=statistics.mean(len(o.tags) for o in good) if good else None,
        median_s=statistics.median(seconds) if seconds else None,
        tokens_in=sum(one.tokens_in or 0 for one in said),
        tokens_out=sum(one.tokens_out or 0 for one in said),
        wins=wins,
        win_rate=wins / len(best) if best else None,
        agreement=statistics.mean(shared) if shared else None,
    )


def _pair(one: int, other: int, by: Mapping[int, Sequence[Answered]]) -> Pair | None:
    mine, yours = (
        {a.file_id: a.tags for a in by[id_] if a.outcome is Outcome.ANSWERED}
        for id_ in (one, other)
    )
    both = mine.keys() & yours.keys()
    if not both:
        return None
    shared = [jaccard(mine[photo], yours[photo]) for photo in both]
    return Pair(one, other, statistics.mean(shared), len(both))


def _winner(best: Sequence[int | None]) -> int | None:
    """The one chosen most often; None while nobody is ahead."""
    most = statistics.multimode(one for one in best if one is not None)
    return most[0] if len(most) == 1 else None


def _keys(names: Collection[str]) -> set[str]:
    return {tagnames.key(name) for name in names if tagnames.key(name)}
