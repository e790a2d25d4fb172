"""A query is read as it is written, and a mistake in it is pointed at."""

from datetime import datetime

import pytest

from tagger.catalogue.query import parse, writing
from tagger.catalogue.query import values as readers
from tagger.catalogue.query.fields import FIELDS, state_word
from tagger.catalogue.query.tree import (
    All,
    AnyOf,
    Has,
    InFolder,
    Near,
    Node,
    Not,
    Part,
    Pixels,
    Size,
    Stands,
    Tagged,
    Taken,
    Words,
)
from tagger.errors import QueryError, UsageError
from tagger.records import ImageState

A, B, C, D = (Words(word) for word in "abcd")


@pytest.mark.parametrize(
    ("query", "tree"),
    [
        ("", All(())),
        ("  ", All(())),
        ("a", A),
        ("a b", All((A, B))),
        ("a AND b", All((A, B))),
        ("a OR b c", AnyOf((A, All((B, C))))),
        ("(a OR b) c", All((AnyOf((A, B)), C))),
        ("a (b c) d", All((A, B, C, D))),
        ("-a", Not(A)),
        ("NOT a b", All((Not(A), B))),
        ("-(a b)", Not(All((A, B)))),
        ("a -(b OR -c)", All((A, Not(AnyOf((B, Not(C))))))),
        ("a or b", All((A, Words("or"), B))),
        ('"a OR b"', Words("a OR b", phrase=True)),
        ("a*", Words("a", prefix=True)),
        ("a - & b", All((A, B))),
        ("a OR &", A),
        ("(-) a", A),
        ("IMG(1).jpg", Words("IMG(1).jpg")),
        ("(IMG(1).jpg)", Words("IMG(1).jpg")),
        ("TAG:Dog", Tagged("Dog")),
        ('tag:"a \\"b\\" \\\\ c*"', Tagged('a "b" \\ c*')),
        ("tag:mo*", Tagged("mo", prefix=True)),
        ("(folder:x(1))", InFolder("x(1)")),
        ("-has:gps", Not(Has(Part.GPS))),
        ("state:untagged", Not(Has(Part.TAGS))),
        ('state:"Not Written"', Stands((ImageState.NOT_WRITTEN,))),
        ("near:-33.5,+151,2mi", Near(-33.5, 151.0, 3218.688)),
    ],
)
def test_a_query_is_read_as_a_tree(query: str, tree: Node) -> None:
    assert parse(query) == tree


@pytest.mark.parametrize(
    ("query", "place", "advice"),
    [
        ('dog "red car', 5, "not closed"),
        ('tag:"red', 5, "not closed"),
        ("tag:", 5, "as in tag:dog"),
        ("dog folder:  ", 12, "as in folder:2024/italy"),
        ("do*g", 3, "only at the end"),
        ("tag:a*b", 5, "a star at the end only"),
        ("tag:*", 5, "before the star"),
        ("dog -colour:red", 6, "no field colour: .*Fields are tag, folder"),
        ("camra:nikon", 1, "did you mean camera:"),
        ("10:30", 1, "go in quotes"),
        ('"a"b', 4, "space after the quote"),
        ('a"b"', 2, "space before the quote"),
        ('tag:"a"b', 8, "space after the quote"),
        ("(a OR b", 1, "not closed; add a"),
        ("a) b", 2, "never opened"),
        ("a ()", 4, "nothing in these brackets"),
        ("OR a", 1, "on both sides of OR"),
        ("a OR", 3, "something after OR"),
        ("a OR OR b", 6, "on both sides of OR"),
        ("(a AND) b", 7, "something after AND"),
        ("a NOT", 3, "something after NOT"),
        ("!? *", 1, "no letter or digit"),
        ("taken:May", 7, "taken: takes a year, month or day"),
        ("taken:2024-13", 7, "taken: takes a year"),
        ("taken:2024-02-30", 7, "taken: takes a year"),
        ("taken:2024..2023", 7, "begins before it ends"),
        ("taken:..", 7, "taken: takes a year"),
        ("added:0d", 7, "added: takes a year"),
        ("size:12", 6, "size: takes megapixels"),
        ("size:>>1mp", 6, "size: takes megapixels"),
        ("bytes:many", 7, "bytes: takes a size"),
        ("near:45.4,12.3", 6, "near: takes latitude, longitude and a distance"),
        ("near:95,12.3,5km", 6, "near: takes latitude"),
        ("state:lost", 7, "state: takes tagged, review, failed, missing"),
        ("has:wings", 5, "has: takes gps, description"),
        ("orientation:up", 13, "landscape, portrait or square"),
        ("source:me", 8, "human or model"),
        ("camera:*", 8, "a part of the name"),
        ("(" * 30 + "a" + ")" * 30, 21, "more than 20 brackets"),
        ("a " * 100, 129, "may have 64 parts"),
    ],
)
def test_a_mistake_is_pointed_at(query: str, place: int, advice: str) -> None:
    with pytest.raises(QueryError, match=f"^Place {place}: .*{advice}") as raised:
        parse(query)
    assert raised.value.column == place


def test_a_query_that_is_too_long_is_refused() -> None:
    with pytest.raises(UsageError, match="2000 characters"):
        parse("a" * 2000)


def test_a_caret_stands_below_the_place() -> None:
    with pytest.raises(QueryError) as raised:
        parse("beach -colour:red")
    assert raised.value.pointer == "beach -colour:red\n       ^"


def test_the_caret_of_a_long_query_has_the_part_around_it() -> None:
    with pytest.raises(QueryError) as raised:
        parse(f"{'word ' * 40}x:1{' more' * 40}")
    line, caret = raised.value.pointer.split("\n")
    assert len(line) <= 120
    assert line[caret.index("^") :].startswith("x:1")


def test_what_a_terminal_would_obey_is_not_in_the_pointer() -> None:
    with pytest.raises(QueryError) as raised:
        parse("a\x1b[31m\u202e colour:red")
    assert raised.value.pointer.startswith("a [31m  colour:red\n")


NOW = datetime(2026, 3, 31, 15, 30)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("2024", "2024-01-01", "2025-01-01"),
        ("2024-12", "2024-12-01", "2025-01-01"),
        ("2024-2-29", "2024-02-29", "2024-03-01"),
        ("today", "2026-03-31", "2026-04-01"),
        ("yesterday", "2026-03-30", "2026-03-31"),
        ("7d", "2026-03-25", "2026-04-01"),
        ("1d", "2026-03-31", "2026-04-01"),
        ("2024..", "2024-01-01", None),
        ("..2024-05", None, "2024-06-01"),
        ("2024-05..yesterday", "2024-05-01", "2026-03-31"),
        (">2024-05", "2024-06-01", None),
        (">= 2024-05", "2024-05-01", None),
        ("<2024-05", None, "2024-05-01"),
        ("<=2024-05", None, "2024-06-01"),
    ],
)
def test_dates(text: str, low: str | None, high: str | None) -> None:
    found = readers.dates(text, NOW)
    assert (found.low, found.high) == tuple(
        edge and datetime.fromisoformat(edge) for edge in (low, high)
    )


@pytest.mark.parametrize("text", ["9999", "0000", "9999-12", "2024-\u0660\u0665"])
def test_days_that_no_calendar_has_are_refused(text: str) -> None:
    with pytest.raises(readers.Unreadable):
        readers.dates(text, NOW)


@pytest.mark.parametrize(
    ("query", "tree"),
    [
        ("size:12mp", Pixels(11_500_000, 12_500_000)),
        ("size:0.1MP", Pixels(50_000, 150_000)),
        ("size:>12mp", Pixels(12_000_001, None)),
        ("size:<=12mp", Pixels(None, 12_000_001)),
        ("size:8mp..24mp", Pixels(8_000_000, 24_000_001)),
        ("bytes:900", Size(900, 901)),
        ("bytes:>=5kib", Size(5_120, None)),
        ('bytes:"1.5 MB"', Size(1_450_000, 1_550_000)),
        ("bytes:<999999999999999999gb", Size(None, 2**62)),
    ],
)
def test_amounts(query: str, tree: Node) -> None:
    assert parse(query) == tree


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_can_be_read_in_its_own_example(name: str) -> None:
    assert parse(f"{name}:{FIELDS[name].example}") != All(())
    for choice in FIELDS[name].choices:
        assert parse(f"{name}:{choice}") != All(())


@pytest.mark.parametrize("state", ImageState)
def test_every_state_can_be_asked_for(state: ImageState) -> None:
    assert parse(f"state:{state_word(state)}") == Stands((state,))


@pytest.mark.parametrize(
    "name", ["dog", "red car", 'the "best"', "a\\", '\\"', "x*", "(1)", ":", "a:b", "-"]
)
def test_whatever_a_tag_is_called_it_can_be_written(name: str) -> None:
    assert parse(writing.field("tag", name)) == Tagged(name)
    assert parse(f"a ({writing.field('tag', name)}) b") == All((A, Tagged(name), B))


def test_a_month_ends_before_the_next_begins() -> None:
    assert parse("taken:2024-05") == Taken(datetime(2024, 5, 1), datetime(2024, 6, 1))
