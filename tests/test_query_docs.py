"""What docs/QUERY.md says of the language is so."""

import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tagger.catalogue import intake
from tagger.catalogue.finding import find
from tagger.catalogue.query import parse
from tagger.catalogue.query.fields import FIELDS
from tagger.catalogue.questions import Wanted
from tagger.catalogue.store import Catalogue
from tagger.errors import QueryError
from tagger.tracking.database import Database
from tests.support_catalogue import Photo, add_folder, open_catalogue, tagged

DOCS = (Path(__file__).parent.parent / "docs" / "QUERY.md").read_text()
CODE = re.compile(r"`([^`]+)`")


def tables(heading: str) -> list[list[list[str]]]:
    """The rows of every table whose first column is called so, without the rule."""
    found = []
    for part in DOCS.split(f"| {heading} |")[1:]:
        lines = itertools.takewhile(
            lambda line: line.startswith("|"), part.splitlines()[2:]
        )
        found.append([[c.strip() for c in line[1:-1].split("|")] for line in lines])
    return found


[PHOTOS] = tables("photo")
EXAMPLES = [
    (CODE.findall(query)[0], set(CODE.findall(found)))
    for table in tables("search")
    for query, found in table
]
FORMS = [CODE.findall(row[0])[0] for table in tables("write") for row in table]


def photo(row: Sequence[str]) -> Photo:
    name, description, tags, taken, rest = row
    more = dict(part.split("=", 1) for part in re.split(r" (?=\w+=)", rest) if part)
    place = more.get("place")
    return Photo(
        name=name.strip("`"),
        description=description,
        tags=tags.split(", "),
        taken_at=f"{taken}T12:00:00" if taken else None,
        camera=more.get("camera"),
        gps=tuple(map(float, place.split(","))) if place else None,  # type: ignore[arg-type]
        found_tags=[more["human"]] if "human" in more else [],
        model=more.get("model", "gemma3:4b"),
        text=more.get("text"),
    )


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalogue]:
    path = tmp_path_factory.mktemp("docs")
    with Database.open(path / "data" / "tracking.db") as db:
        tagged(db, add_folder(db, path / "photos"), *map(photo, PHOTOS))
        with open_catalogue(path) as opened:
            intake.take(opened, db)
            yield opened


@pytest.mark.parametrize(
    ("query", "names"), EXAMPLES, ids=[query for query, _ in EXAMPLES]
)
def test_an_example_finds_what_is_said(
    catalogue: Catalogue, query: str, names: set[str]
) -> None:
    found = find(catalogue, Wanted(query=query))
    assert {card.name for card in found.page.images} == names


def test_there_are_examples() -> None:
    assert len(PHOTOS) == 5
    assert len(EXAMPLES) > 20


@pytest.mark.parametrize("form", FORMS)
def test_every_form_can_be_read(form: str) -> None:
    parse(form)


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_and_choice_is_described(name: str) -> None:
    said = CODE.findall(DOCS)
    assert any(code.startswith(f"{name}:") for code in said)
    for choice in FIELDS[name].choices:
        assert any(code in (choice, f"{name}:{choice}") for code in said)


def test_the_mistake_shown_is_told_like_that() -> None:
    with pytest.raises(QueryError) as raised:
        parse("beach -colour:red")
    message, _, rest = DOCS[DOCS.index("Place 8:") :].partition(", …\n")
    assert str(raised.value).startswith(message)
    assert rest.startswith(raised.value.pointer)
