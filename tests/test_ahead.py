"""Parts are made ahead of their use, in order, and none after the user has left."""

import threading
from collections.abc import Iterator

import pytest

from tagger.catalogue.ahead import ahead


def test_parts_come_in_their_order_and_all_of_them() -> None:
    assert list(ahead(n * n for n in range(50))) == [n * n for n in range(50)]
    assert list(ahead(iter([None, [], 0]))) == [None, [], 0]
    assert list(ahead(iter(()))) == []


def test_the_next_part_is_made_while_one_is_in_use() -> None:
    begun = [threading.Event() for _ in range(3)]

    def parts() -> Iterator[int]:
        for number in range(3):
            begun[number].set()
            yield number

    for number in ahead(parts()):
        following = min(number + 1, 2)
        assert begun[following].wait(timeout=30)


def test_a_part_that_fails_raises_where_it_is_wanted() -> None:
    def parts() -> Iterator[int]:
        yield from (0, 1)
        raise OSError("the disk is full")

    made = ahead(parts())
    assert [next(made), next(made)] == [0, 1]
    with pytest.raises(OSError, match="the disk is full"):
        next(made)


def test_nothing_is_made_any_more_after_the_user_has_left() -> None:
    made: list[int] = []
    parts = ahead(made.append(n) for n in range(100))
    next(parts)
    parts.close()
    assert len(made) <= 3
    assert not [one for one in threading.enumerate() if "ThreadPool" in one.name]
