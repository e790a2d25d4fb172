"""The built-in tagger on the sample photographs, and the tables it reads."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger.imaging.look import look
from tagger.imaging.picture import Picture
from tagger.imaging.resize import resized
from tagger.records import Answer, Tag
from tagger.vision.builtin import Builtin, colours, detector, tables, wording
from tagger.vision.builtin.backend import merged, subjects, version
from tagger.vision.builtin.wording import Subject
from tests.support_vision import SAMPLES, plain_picture

PHOTOS = sorted(path for path in SAMPLES.iterdir() if path.suffix != ".md")


@pytest.fixture(scope="module")
def builtin() -> Iterator[Builtin]:
    backend = Builtin()
    yield backend
    backend.close()


@cache
def picture(name: str) -> Picture:
    return look(os.fsencode(SAMPLES / name), side_px=Builtin.side_px).picture


def tags(answer: Answer) -> set[str]:
    return {tag.name for tag in answer.tags}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("friends.jpg", {"dog", "animal"}),
        ("chelsea.png", {"cat", "animal"}),
        ("picos.heic", {"mountain", "landscape"}),
        ("ridge.jpg", {"mountain", "landscape", "green"}),
        ("coffee.png", {"coffee", "espresso", "cup", "drink"}),
        ("astronaut.png", {"person", "orange"}),
        ("china.jpg", {"building"}),
        ("picture_1a.jpg", {"paintbrush", "tool"}),
        ("wine.jpg", {"wine glass", "bottle"}),
    ],
)
def test_a_sample_carries_the_words_for_what_it_shows(
    builtin: Builtin, name: str, expected: set[str]
) -> None:
    assert expected <= tags(builtin.describe(picture(name), os.fsencode(name)))


@pytest.mark.parametrize(
    ("name", "false_friends"),
    [
        ("astronaut.png", {"helmet", "sports", "bobsled"}),
        ("chelsea.png", {"person", "wild cat", "dog"}),
        ("flower.tif", {"insect", "bee", "animal", "food"}),
        ("friends.jpg", {"cat", "person"}),
        ("life.jpg", {"mountain", "beach", "animal"}),
        ("picos.heic", {"animal", "sheep", "beach"}),
        ("picture_0b.jpg", {"sign", "stop sign"}),
        ("picture_1a.jpg", {"person"}),
        ("seeding.jpg", {"bird", "animal"}),
        ("sunset.webp", {"volcano", "mountain", "fountain"}),
        ("wine.jpg", {"cake", "food"}),
    ],
)
def test_a_sample_carries_no_word_for_what_the_models_only_half_believe(
    builtin: Builtin, name: str, false_friends: set[str]
) -> None:
    assert not false_friends & tags(builtin.describe(picture(name), b"x"))


@pytest.mark.parametrize("photo", PHOTOS, ids=[path.name for path in PHOTOS])
def test_every_sample_gets_a_sentence_and_a_tag(builtin: Builtin, photo: Path) -> None:
    answer = builtin.describe(picture(photo.name), b"x")

    assert answer.description.startswith(("A ", "A dark ", "A bright "))
    assert answer.description.endswith(".")
    assert answer.tags
    assert len(tags(answer)) == len(answer.tags)
    assert all(tag.score is None or 0 < tag.score <= 1 for tag in answer.tags)
    assert all(tag.name == tag.name.lower().strip() for tag in answer.tags)


def test_the_description_names_what_the_tags_say(builtin: Builtin) -> None:
    answer = builtin.describe(picture("chelsea.png"), b"x")

    assert answer.description == "A photo of a cat; brown."
    assert [tag.name for tag in answer.tags] == ["cat", "animal", "brown"]


def test_an_answer_says_who_gave_it(builtin: Builtin) -> None:
    answer = builtin.describe(plain_picture(), b"x")

    assert (answer.backend, answer.model) == ("builtin", "builtin")
    assert answer.prompt_version == builtin.prompt_version == version()
    assert builtin.check().usable


def test_a_picture_of_nothing_gets_no_filler(builtin: Builtin) -> None:
    black = builtin.describe(plain_picture(0), b"x")
    white = builtin.describe(plain_picture(255, side_px=1), b"x")

    assert black.description == "A dark black and white photo."
    assert [tag.name for tag in black.tags] == ["black and white", "dark"]
    assert white.description == "A bright black and white photo."


@pytest.mark.parametrize("shape", [(1, 1), (1, 640), (640, 1), (3, 2)])
def test_a_picture_of_any_shape_is_answered(
    builtin: Builtin, shape: tuple[int, int]
) -> None:
    pixels = np.zeros((*shape, 3), np.uint8)

    assert builtin.describe(Picture(pixels), b"x").tags


def test_threads_get_the_same_answers_as_one(builtin: Builtin) -> None:
    names = ["chelsea.png", "coffee.png", "wine.jpg"] * 3
    alone = [builtin.describe(picture(name), b"x").tags for name in names[:3]]
    fresh = Builtin()

    with ThreadPoolExecutor(4) as pool:
        together = pool.map(lambda name: fresh.describe(picture(name), b"x"), names)

    assert [answer.tags for answer in together] == alone * 3


def test_it_answers_again_after_it_was_closed() -> None:
    backend = Builtin()
    backend.close()

    assert backend.describe(plain_picture(), b"x").tags


def test_the_models_are_loaded_with_the_first_question_only() -> None:
    """Starting the program must not wait for them, nor import torch ever."""
    code = (
        "import sys; from tagger.vision.builtin import Builtin; b = Builtin();"
        "b.check(); assert b._loaded is None; assert 'torch' not in sys.modules"
    )

    subprocess.run([sys.executable, "-c", code], check=True, cwd=SAMPLES.parent.parent)


# The tables.


def test_every_class_has_its_row_and_every_group_exists() -> None:
    rows = list(tables._rows("classes.tsv"))
    groups = {row[0] for row in tables._rows("groups.tsv")}

    assert [int(row[0]) for row in rows] == list(range(tables.CLASSES))
    assert {row[2] for row in rows} == {"one", "some", "no"}
    for row in (*rows, *tables._rows("objects.tsv"), *tables._rows("groups.tsv")):
        assert {name for name in row[-1].split(", ") if name} <= groups


def test_a_word_brings_all_its_groups() -> None:
    known = tables.load()

    assert known.by_name["pug"].groups == {"dog", "animal"}
    assert known.by_name["espresso"].groups == {"coffee", "cup", "drink", "kitchenware"}
    assert known.by_name["dog"].groups == {"animal"}
    assert known.by_name["cow"].groups == {"cattle", "farm animal", "animal"}
    assert known.by_name["person"].groups == frozenset()


def test_no_class_counts_twice_for_a_word() -> None:
    known = tables.load()

    assert set(np.unique(known.weights)) == {0.0, 1.0}
    assert all(known.weights.sum(axis=1) > 0)


def test_wrong_breeds_add_up_to_the_right_animal() -> None:
    known = tables.load()
    probabilities = np.zeros(tables.CLASSES, np.float32)
    probabilities[[151, 208, 254]] = 0.3  # Chihuahua, Labrador, pug

    sums = dict(
        zip(
            (word.name for word in known.words),
            known.weights @ probabilities,
            strict=True,
        )
    )

    assert sums["dog"] == pytest.approx(0.9)
    assert sums["pug"] == pytest.approx(0.3)
    assert sums["cat"] == 0


def test_textures_need_more_to_pass_for_an_animal() -> None:
    known = tables.load().by_name

    assert known["animal"].minimum == 0.60
    assert known["dog"].minimum == 0.45
    assert known["pug"].minimum == 0.60
    assert detector.MINIMUM == 0.65


@pytest.mark.parametrize(
    ("noun", "with_article"),
    [
        ("dog", "a dog"),
        ("espresso", "an espresso"),
        ("hourglass", "an hourglass"),
        ("unicycle", "a unicycle"),
        ("Indian cobra", "an Indian cobra"),
    ],
)
def test_an_article_goes_by_the_sound(noun: str, with_article: str) -> None:
    assert tables.article(noun) == with_article


# What is made of what was found.


def test_both_models_words_are_joined_with_their_groups() -> None:
    person, dog = 0, 16
    seen = [detector.Seen(person, 2, 0.8), detector.Seen(dog, 1, 0.7)]

    found = merged({"dog": 0.9, "animal": 0.95}, seen)

    assert found == {"animal": 0.95, "dog": 0.9, "person": 0.8}
    assert [(s.word.name, s.count) for s in subjects(found, seen)] == [
        ("person", 2),
        ("dog", 1),
    ]


def sentence(
    names: list[tuple[str, int]],
    palette: tuple[str, ...] = (),
    light: str | None = None,
    *,
    colourless: bool = False,
) -> str:
    known = tables.load().by_name
    found = [Subject(known[name], count, 0.9) for name, count in names]
    seen = colours.Look(
        tuple(Tag(name) for name in palette), Tag(light) if light else None, colourless
    )
    return wording.sentence(found, seen)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (
            sentence([("person", 2), ("dog", 1)], ("brown", "green"), "bright"),
            "A photo of two people and a dog; brown and green, bright.",
        ),
        (sentence([("person", 1)]), "A photo of a person."),
        (sentence([("person", 30)]), "A photo of several people."),
        (sentence([("coffee", 1)], ("red",)), "A photo of coffee; red."),
        (sentence([], ("blue", "black"), "dark"), "A dark photo in blue and black."),
        (sentence([], ("gray",)), "A photo in gray."),
        (
            sentence([("cat", 1)], (), "dark", colourless=True),
            "A black and white photo of a cat; dark.",
        ),
        (
            sentence([("car", 3), ("bus", 1), ("person", 1), ("dog", 1), ("cat", 1)]),
            "A photo of three cars, a bus, a person and a dog.",
        ),
    ],
)
def test_a_description_is_a_plain_sentence(made: str, expected: str) -> None:
    assert made == expected


def test_overlapping_boxes_are_one_thing() -> None:
    boxes = np.array([[0, 0, 9, 9], [1, 1, 9, 9], [20, 20, 30, 30]], np.float32)
    scores = np.array([0.7, 0.9, 0.8], np.float32)
    person = np.array([0, 0, 0])

    assert detector._surest(boxes, scores, person) == [1, 2]
    assert detector._surest(boxes, scores, np.array([0, 1, 0])) == [1, 2, 0]


# Colours and light.


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((200, 20, 25), "red"),
        ((250, 130, 20), "orange"),
        ((245, 220, 50), "yellow"),
        ((40, 150, 50), "green"),
        ((40, 90, 200), "blue"),
        ((130, 40, 160), "purple"),
        ((240, 120, 180), "pink"),
        ((100, 65, 35), "brown"),
    ],
)
def test_a_plain_colour_has_its_name(rgb: tuple[int, int, int], name: str) -> None:
    seen = colours.look(np.full((20, 30, 3), rgb, np.uint8))

    assert [tag.name for tag in seen.colours] == [name]
    assert not seen.colourless


def test_light_is_named_only_where_it_stands_out() -> None:
    assert colours.look(plain_picture(10).pixels).light == Tag("dark", 0.973)
    assert colours.look(plain_picture(120).pixels).light is None
    assert colours.look(np.full((9, 9, 3), (250, 250, 200), np.uint8)).light == Tag(
        "bright", pytest.approx(0.97, abs=0.02)
    )


@given(st.integers(1, 40), st.integers(1, 40))
def test_any_pixels_have_one_or_two_colours_or_none_at_all(
    width: int, height: int
) -> None:
    pixels = np.random.default_rng(width * height).integers(
        0, 256, (height, width, 3), np.uint8
    )

    seen = colours.look(pixels)

    assert seen.colourless or 1 <= len(seen.colours) <= 2


def test_pixels_are_resized_upright_and_whole() -> None:
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[:, 30:] = 255

    small = resized(pixels, 6, 4)
    right = resized(pixels, 3, 3, box=(30, 0, 60, 40))

    assert small.shape == (4, 6, 3)
    assert small[:, 0].max() == 0
    assert right.mean() > 240


def test_loading_the_model_reports_to_nobody(tmp_path: Path) -> None:
    """onnxruntime would leave an id in the home folder and call its maker."""
    code = "from tagger.vision.builtin import Builtin; Builtin().check()"
    subprocess.run(
        [sys.executable, "-c", code],
        cwd=SAMPLES.parent.parent,
        env={**os.environ, "HOME": str(tmp_path)},
        check=True,
    )
    assert not (tmp_path / ".cache" / "Microsoft").exists()
