"""What a model is asked, and what is kept of what it answers."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger.sections import Model
from tagger.vision.answer import LONGEST_TAG, LONGEST_TEXT, Unfit, parse
from tagger.vision.prompt import Prompt


def reply(**changes: object) -> str:
    words = {"description": "A dog.", "tags": ["dog"], "text": ""}
    return json.dumps({**words, **changes})


def test_the_prompt_says_what_the_settings_ask_for() -> None:
    text = Prompt.from_settings(
        Model(
            language="Deutsch",
            tags_min=3,
            tags_max=7,
            preferred_tags=("holiday", "red car"),
            extra_instruction="Name the breed of every dog.",
        )
    ).text

    assert "answer in Deutsch" in text
    assert "3 to 7 tags" in text
    assert "holiday, red car" in text
    assert "Name the breed of every dog." in text


def test_braces_in_an_instruction_are_taken_as_they_are() -> None:
    text = Prompt.from_settings(Model(extra_instruction="Use {curly} words")).text

    assert "Use {curly} words" in text


def test_the_schema_asks_for_no_more_tags_than_set() -> None:
    schema = Prompt.from_settings(Model(tags_max=7)).schema

    assert schema["properties"]["tags"]["maxItems"] == 7
    assert set(schema["required"]) == {"description", "tags", "text"}


def test_the_version_is_the_same_for_the_same_question() -> None:
    one, other = Prompt.from_settings(Model()), Prompt.from_settings(Model())

    assert one.version == other.version
    assert Prompt.from_settings(Model(max_tokens=99)).version == one.version


@pytest.mark.parametrize(
    "change",
    [
        {"language": "Deutsch"},
        {"tags_min": 6},
        {"tags_max": 24},
        {"preferred_tags": ("dog",)},
        {"extra_instruction": "Be brief."},
        {"temperature": 0.5},
        {"image_side_px": 512},
    ],
)
def test_the_version_changes_with_whatever_changes_answers(
    change: dict[str, object],
) -> None:
    changed = Prompt.from_settings(Model.model_validate(change))

    assert changed.version != Prompt.from_settings(Model()).version


def test_tags_are_lower_case_trimmed_and_without_duplicates() -> None:
    words = parse(
        reply(tags=[" Dog ", "DOG", "#golden_retriever", "sun,  sea", "E\u0301cole"]),
        tags_max=25,
    )

    assert words.tags == ("dog", "golden retriever", "sun", "sea", "\u00e9cole")


def test_tags_beyond_the_most_asked_for_are_cut() -> None:
    words = parse(reply(tags=[f"tag {n}" for n in range(40)]), tags_max=25)

    assert words.tags == tuple(f"tag {n}" for n in range(25))


def test_fewer_tags_than_asked_for_are_taken() -> None:
    assert parse(reply(tags=["dog"]), tags_max=25).tags == ("dog",)


def test_what_looks_like_a_command_or_a_page_stays_plain_text() -> None:
    words = parse(
        reply(
            description="<script>alert(1)</script> $(rm -rf) `x`",
            tags=["-execute", "<b>dog</b>", "=1+1", "../etc"],
        ),
        tags_max=25,
    )

    assert words.description == "<script>alert(1)</script> $(rm -rf) `x`"
    assert words.tags == ("-execute", "<b>dog</b>", "=1+1", "../etc")


def test_invisible_characters_and_broken_halves_are_dropped() -> None:
    words = parse(
        '{"description": "A\\u0000 d\\u001bog\\ud800\\u202e\\nruns\\ufffd.\\uffff",'
        ' "tags": ["do\\u0007g", "\\u200b", "cat\\r\\n-execute"], "text": "\\u0085"}',
        tags_max=25,
    )

    assert words.description == "A dog runs."
    assert words.tags == ("dog", "cat", "-execute")
    assert words.text is None


def test_joiners_that_scripts_need_are_kept() -> None:
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"

    assert parse(reply(tags=[family]), tags_max=25).tags == (family,)


def test_a_description_is_at_most_three_sentences() -> None:
    words = parse(
        reply(description="St. Ives at dusk. A boat lies there. Gulls fly. Rain."),
        tags_max=25,
    )

    assert words.description == "St. Ives at dusk. A boat lies there. Gulls fly."


def test_endless_texts_and_tags_are_shortened_or_dropped() -> None:
    words = parse(
        reply(description="word " * 10_000, tags=["x" * 65, "dog"], text="y" * 9_000),
        tags_max=25,
    )

    assert len(words.description) <= LONGEST_TEXT
    assert words.description.endswith("word…")
    assert words.tags == ("dog",)
    assert words.text is not None
    assert len(words.text) <= LONGEST_TEXT


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ("", "not valid JSON"),
        ("I see a dog.", "not valid JSON"),
        ("[" * 100_000, "nested"),
        ('["dog"]', "not an object"),
        (reply(description=None), "`description` must be a string"),
        (reply(description=" \u200b "), "`description` is empty"),
        (reply(tags="dog"), "`tags` must be a list of strings"),
        (reply(tags=["dog", 7]), "`tags` must be a list of strings"),
        (reply(tags=[]), "`tags` is empty"),
        (reply(tags=["", "\u0000"]), "`tags` is empty"),
        (reply(text=["STOP"]), "`text` must be a string"),
    ],
)
def test_an_answer_out_of_form_is_refused_with_the_fault(
    answer: str, fault: str
) -> None:
    with pytest.raises(Unfit, match=fault):
        parse(answer, tags_max=25)


def test_an_answer_without_text_is_taken() -> None:
    answer = json.dumps({"description": "A dog.", "tags": ["dog"]})

    assert parse(answer, tags_max=25).text is None


@given(st.text(), st.lists(st.text(), max_size=30), st.text())
def test_whatever_a_model_writes_comes_out_clean(
    description: str, tags: list[str], text: str
) -> None:
    answer = json.dumps({"description": f"x{description}", "tags": ["a", *tags]})

    words = parse(answer, tags_max=25)

    for kept in (words.description, *words.tags):
        assert kept == kept.strip() != ""
        assert kept.isprintable() or "\u200c" in kept or "\u200d" in kept
        kept.encode("utf-8")
    assert len(words.tags) == len(set(words.tags)) <= 25
    assert all(len(tag) <= LONGEST_TAG for tag in words.tags)
