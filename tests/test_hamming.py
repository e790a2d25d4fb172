"""Hashes are gathered as the rule says, whatever they are, and in bounded time."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagger.catalogue.alike import hamming

BITS = hamming.BITS
ANY_HASH = st.integers(0, 2**BITS - 1)


def by_the_rule(hashes: list[int], distance: int) -> list[int]:
    """The rule word for word: each takes the first centre that is near."""
    centres: list[int] = []
    found = []
    for place, one in enumerate(hashes):
        near = (c for c in centres if (hashes[c] ^ one).bit_count() <= distance)
        centre = next(near, place)
        if centre == place:
            centres.append(place)
        found.append(centre)
    return found


def gathered(hashes: list[int], distance: int) -> list[int]:
    found = hamming.centres(np.array(hashes, dtype=np.uint64), distance)
    return [int(one) for one in found]


@st.composite
def libraries(draw: st.DrawFn) -> list[int]:
    """Hashes that crowd around a few: some bits off, equal, or all in one band."""
    bases = draw(st.lists(ANY_HASH, min_size=1, max_size=6))
    hashes = []
    for _ in range(draw(st.integers(0, 120))):
        one = draw(st.sampled_from(bases))
        for place in draw(st.lists(st.integers(0, BITS - 1), max_size=9)):
            one ^= 1 << place
        hashes.append(one)
        if draw(st.booleans()):
            bases.append(one)  # so that there are chains of small steps
    return hashes


@pytest.fixture(params=[8, 1024], ids=["small blocks", "blocks as they are"])
def _blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With blocks of 8 even a few hashes go through the lists of bands."""
    monkeypatch.setattr(hamming, "BLOCK", request.param)
    monkeypatch.setattr(hamming, "ROWS", 3 if request.param == 8 else 128)
    monkeypatch.setattr(hamming, "PIECE", 5 if request.param == 8 else 2_000_000)


@pytest.mark.usefixtures("_blocks")
@given(libraries(), st.integers(0, hamming.LARGEST_DISTANCE))
@settings(max_examples=50, deadline=None)
def test_groups_are_those_of_comparing_each_with_each(
    hashes: list[int], distance: int
) -> None:
    assert gathered(hashes, distance) == by_the_rule(hashes, distance)


@pytest.mark.parametrize("distance", range(hamming.LARGEST_DISTANCE + 1))
def test_thousands_of_hashes_come_out_as_by_the_rule(distance: int) -> None:
    dice = np.random.default_rng(distance)
    once = dice.integers(0, 2**BITS, 1_500, dtype=np.uint64)
    again = np.repeat(once[:300], 5)
    for _ in range(distance):
        again ^= np.uint64(1) << dice.integers(0, BITS, len(again), dtype=np.uint64)
    hashes = dice.permutation(np.concatenate([once, again])).tolist()

    assert gathered(hashes, distance) == by_the_rule(hashes, distance)


def test_a_chain_of_small_steps_does_not_become_one_group() -> None:
    chain = [(1 << length) - 1 for length in range(BITS + 1)]

    found = gathered(chain, 6)

    assert found == by_the_rule(chain, 6)
    assert len(set(found)) == 10
    for one, centre in zip(chain, found, strict=True):
        assert (one ^ chain[centre]).bit_count() <= 6


def test_hashes_with_next_to_nothing_in_them_are_known() -> None:
    hashes = [0, 2**BITS - 1, 0b1111111, 0b11111111, 2**BITS - 1 - 0b1111111, 0x5555]
    found = hamming.says_something(np.array(hashes, dtype=np.uint64))
    assert found.tolist() == [False, False, False, True, False, True]


def test_a_hundred_thousand_frames_of_one_scene_are_not_compared_each_with_each() -> (
    None
):
    """All within four bits of one hash: five thousand million pairs."""
    dice = np.random.default_rng(3)
    hashes = np.full(100_000, 0x2BADF00D2BADF00D, dtype=np.uint64)
    for _ in range(3):
        hashes ^= np.uint64(1) << dice.integers(0, BITS, len(hashes), dtype=np.uint64)
    hashes[0] = 0x2BADF00D2BADF00D

    began = time.process_time()
    found = hamming.centres(hashes, 6)

    assert not found.any()
    assert time.process_time() - began < 10
