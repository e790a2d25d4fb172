"""Whatever people and programs do in whatever order: a person's words are never lost.

Any sequence of taggings, edits, undoings and changes outside is lived through by the
whole program, on real files, and held against `support_said`'s model of what must hold:
the person's words stand, in their spelling; what the person took out stays out; nothing
is doubled; a person's description stays; pictures are untouched; another run changes no
byte; the catalogue says what the files say; undoing everything leads back.

The sequences are the same each time. For fresh ones, so many as you like:

    SEQUENCES=200 pytest -m slow --timeout 0 tests/test_sequences.py --hypothesis-seed=7
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tagger.records import WriteMode
from tagger.tracking import edits, history, vocabulary
from tagger.tracking.database import Database
from tagger.tracking.edits import Edit
from tagger.tracking.history import Which
from tests import support_hands as hands
from tests import support_imaging
from tests.ollama_double import OllamaDouble
from tests.support_claims import check_pristine
from tests.support_hands import key
from tests.support_library import Library
from tests.support_metadata import as_told
from tests.support_outside import TEXTS, Outside, numbers, words
from tests.support_said import Photo

KINDS = ("jpeg", "png", "tiff", "webp", "heic", "gif")
ANSWERS = ("dog", "cat", "été", "2024", "b/w", "red car", "tree", "😀", "zürich")
FRESH = int(os.environ.get("SEQUENCES", 0))

answers = st.lists(st.sampled_from(ANSWERS), max_size=4, unique=True)
Listing = Callable[[Database], Edit]


class Sequences(Outside):
    """One library, and everything that can happen to it."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.ollama = OllamaDouble(said(["dog"])).start()
        self.library = Library(self.root, self.ollama)
        self.noon: str | None = None

    def teardown(self) -> None:
        self.ollama.stop()
        shutil.rmtree(self.root)

    @initialize(
        kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=2),
        given=st.lists(words, max_size=2),
        text=st.sampled_from((None, None, *TEXTS)),
        tags=answers,
    )
    def begin(
        self, kinds: list[str], given: list[str], text: str | None, tags: list[str]
    ) -> None:
        for number, kind in enumerate(kinds):
            name = f"{number}{Path(support_imaging.KINDS[kind][0]).suffix}"
            pixels = support_imaging.painted(changed=bool(number))
            support_imaging.make(kind, self.library.folder, pixels, name=name)
            photo = self.library.take_in(self.library.folder / name)
            for word in given:
                self.hand_adds(photo, (hands.SUBJECT,), word)
            if text:
                self.hand_describes(photo, (hands.DESCRIPTION,), text)
            photo.events.clear()
            photo.pristine = as_told(photo.path)
        self.ollama.answer = said(tags)
        self.library.run()
        self.library.check()

    def places(self, number: int) -> tuple[list[Photo], list[bytes]]:
        """One photo or, for every third number, all."""
        photos = self.library.photos if number % 3 == 2 else [self.photo(number)]
        return photos, [os.fsencode(photo.path) for photo in photos]

    @rule(tags=answers, ask=st.booleans())
    def tag(self, tags: list[str], ask: bool) -> None:
        self.ollama.answer = said(tags)
        self.library.run(retag=ask)
        self.library.check()

    # --- edits; the program knows by then what happened outside ---

    @rule(number=numbers, word=words)
    def add(self, number: int, word: str) -> None:
        self.library.run()
        photos, places = self.places(number)

        def change() -> None:
            for photo in photos:
                photo.said.give(word, spelling=typed(photo, word), outside=False)

        self.library.edit(lambda db: edits.tag(db, places, add=[word]), change)
        self.library.check()

    @rule(number=numbers, word=words)
    def remove(self, number: int, word: str) -> None:
        self.library.run()
        photos, places = self.places(number)
        having = [photo for photo in photos if self.library.has(photo, word)]

        def change() -> None:
            for photo in having:
                photo.said.take(word)

        self.library.edit(lambda db: edits.tag(db, places, remove=[word]), change)
        self.library.check()

    @rule(number=numbers, text=st.sampled_from(TEXTS))
    def describe(self, number: int, text: str) -> None:
        self.library.run()
        photos, places = self.places(number)

        def change() -> None:
            for photo in photos:
                photo.said.description = ((hands.DESCRIPTION,), text)
                photo.said.described_outside = photo.said.silent = False

        self.library.edit(lambda db: edits.describe(db, places, text), change)
        self.library.check()

    @rule(old=st.lists(words, min_size=1, max_size=2, unique=True), new=words)
    def rename(self, old: list[str], new: str) -> None:
        self.replace(old, new)

    @rule(old=words)
    def delete(self, old: str) -> None:
        self.replace([old], None)

    def replace(self, old: list[str], new: str | None) -> None:
        """Rename a tag, merge two, or delete one, on every photo."""
        self.library.run()
        gone = [word for word in old if new is None or key(word) != key(new)]
        having = {
            id(photo): [word for word in gone if self.library.has(photo, word)]
            for photo in self.library.photos
        }

        def change() -> None:
            for photo in self.library.photos:
                if not having[id(photo)]:
                    continue
                if new is not None:
                    photo.said.give(new, spelling=typed(photo, new), outside=False)
                for word in having[id(photo)]:
                    photo.said.take(word)

        self.library.edit(lambda db: edits.replace(db, old, new), change)
        self.library.check()

    @rule(word=words, name=words, past=st.booleans())
    def synonym(self, word: str, name: str, past: bool) -> None:
        self.list(lambda db: vocabulary.add_synonym(db, word, name, past=past))

    @rule(word=words, past=st.booleans())
    def ban(self, word: str, past: bool) -> None:
        self.list(lambda db: vocabulary.add_ban(db, word, past=past))

    @rule(word=words, past=st.booleans())
    def allow(self, word: str, past: bool) -> None:
        self.list(lambda db: vocabulary.remove_ban(db, word, past=past))

    def list(self, make: Listing) -> None:
        """Change what answers may say; a person's words are not concerned."""
        self.library.run()
        self.library.edit(make)
        self.library.check()

    # --- undo ---

    @rule(number=numbers)
    def undo_photo(self, number: int) -> None:
        self.library.undo(Which(place=os.fsencode(self.photo(number).path)))
        self.library.check()

    @rule(number=numbers)
    def undo_run(self, number: int) -> None:
        with Database.open(self.library.config.tracking_path) as db:
            ids = [run.id for run in history.every_run(db) if run.kind != "undo"]
        if ids:
            self.library.undo(Which(run_id=ids[number % len(ids)]))
            self.library.check()

    @rule(word=words)
    def undo_tag(self, word: str) -> None:
        self.library.undo(Which(tag=word))
        self.library.check()

    @rule()
    def look_at_the_clock(self) -> None:
        time.sleep(0.002)
        now = datetime.now(UTC)
        self.noon = f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z"

    @precondition(lambda self: self.noon)
    @rule()
    def undo_since(self) -> None:
        self.library.undo(Which(since=self.noon))
        self.library.check()

    @rule()
    def undo_everything(self) -> None:
        outcome = self.library.undo(Which(place=os.fsencode(self.library.folder)))
        check_pristine(self.library.photos, outcome)
        self.library.check()

    @rule()
    def undo_the_undo(self) -> None:
        self.library.undo_undo()
        self.library.check()

    # --- the folder as a whole ---

    @rule()
    def scan(self) -> None:
        self.library.check()

    @rule(mode=st.sampled_from(WriteMode))
    def write_elsewhere(self, mode: WriteMode) -> None:
        self.library.mode = mode
        self.library.run(write_mode=mode)
        self.library.check()

    @rule()
    def lose_the_database(self) -> None:
        self.library.run()
        self.library.lose()
        self.noon = None
        self.library.run(write_mode=self.library.mode)
        self.library.check()


def typed(photo: Photo, word: str) -> str | None:
    """How a word that is typed will be spelt; open where the photo has it already."""
    is_new = key(word) not in photo.entries()
    return " ".join(word.split()) if is_new else None


def said(tags: list[str]) -> dict[str, object]:
    """What the model answers."""
    text = f"A photo of {', '.join(tags)}."
    return {"description": text, "tags": tags or ["thing"], "text": ""}


def lived(*, examples: int, steps: int) -> settings:
    """So many lives of so many steps; a failing one is shown as it was met."""
    return settings(
        max_examples=FRESH or examples,
        stateful_step_count=steps,
        derandomize=not FRESH,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate,),
        print_blob=True,
    )


def test_a_few_sequences_lose_and_double_nothing() -> None:
    run_state_machine_as_test(Sequences, settings=lived(examples=3, steps=4))


@pytest.mark.slow
def test_many_sequences_lose_and_double_nothing() -> None:
    run_state_machine_as_test(Sequences, settings=lived(examples=15, steps=10))
