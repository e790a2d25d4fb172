"""Parts are made ahead of their use, in order, and none after the user has left."""

import threading

import pytest

from tagger.catalogue.ahead import ahead


def test_parts_come_in_the_order_of_their_items() -> None:
    assert list(ahead(lambda n: n * n, range(50))) == [n * n for n in range(50)]
    assert list(ahead(str, [])) == []


def test_the_next_part_is_made_while_one_is_in_use() -> None:
    begun = [threading.Event() for _ in range(3)]

    def make(number: int) -> int:
        begun[number].set()
        return number

    for number in ahead(make, range(3)):
        following = min(number + 1, 2)
        assert begun[following].wait(timeout=30)


def test_a_part_that_fails_raises_where_it_is_wanted() -> None:
    def make(number: int) -> int:
        if number == 2:
            raise OSError("the disk is full")
        return number

    parts = ahead(make, range(5))
    assert [next(parts), next(parts)] == [0, 1]
    with pytest.raises(OSError, match="the disk is full"):
        next(parts)


def test_nothing_is_made_any_more_after_the_user_has_left() -> None:
    made: list[int] = []
    parts = ahead(made.append, range(100))
    next(parts)
    parts.close()
    assert len(made) <= 3
    assert not [one for one in threading.enumerate() if "ThreadPool" in one.name]
