"""What other programs and people do to photos, as rules of a state machine.

Each does to the files what a program of that kind is known to do, and says what that
means for what the person said.
"""

import shutil
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from tests import support_hands as hands
from tests.support_hands import key
from tests.support_library import Library
from tests.support_said import Photo, Said

PERSONS = (
    *("Oma", "Dog", "dog", "e\u0301te\u0301", "été", "2024", "true", "b/w"),
    *("Red  car", "red car", "😀", "a;b", "Zürich", "<=x", "tree"),
)
PLAIN = [word for word in PERSONS if word.isalnum() and word.isascii()]
TEXTS = ("Bei Oma", "Meins é; |\nzwei", "2024", "-execute")

words = st.sampled_from(PERSONS)
numbers = st.integers(0, 5)
Backup = tuple[Photo, bytes, bytes | None, Said]


class Outside(RuleBasedStateMachine):
    """The hands of others; nothing of it tells the program."""

    library: Library
    backup: Backup | None = None

    def photo(self, number: int) -> Photo:
        """One of the photos."""
        return self.library.photos[number % len(self.library.photos)]

    def hand_adds(self, photo: Photo, names: tuple[str, ...], entry: str) -> None:
        """A keyword, or a place in a tree of them, is put into some fields."""
        word = hands.leaf(names[0], entry) if "Places" in entry else entry
        there = photo.entries()
        changed = False
        for name in names:
            flat = word if name in (hands.SUBJECT, hands.IPTC) else entry
            changed |= hands.add(photo.path, name, flat)
        if changed:
            spelling = None if key(word) in there else word
            photo.said.give(word, spelling=spelling, outside=True)
            self.library.happened(photo)

    def hand_describes(self, photo: Photo, names: tuple[str, ...], text: str) -> None:
        """A description is put into some fields."""
        hands.describe(photo.path, names, text)
        photo.said.description = (names, text)
        photo.said.described_outside, photo.said.silent = True, False
        self.library.happened(photo)

    def hand_removes(self, photo: Photo, names: tuple[str, ...], word: str) -> None:
        """Out of everywhere if the program knows it stood in the richest field."""
        told = hands.found(photo.path)
        is_there = key(word) in map(key, told[hands.SUBJECT])
        if photo.sidecar.exists() or not any(
            key(word) in (key(entry), key(hands.leaf(name, entry)))
            for name in names
            for entry in told[name]
        ):
            return
        for name in names:
            hands.remove(photo.path, name, word)
        if hands.SUBJECT in names and is_there and key(word) in hands.noted_in(told):
            photo.said.take(word)
        else:
            photo.said.words.pop(key(word), None)
            photo.said.outside.discard(key(word))
        self.library.happened(photo)

    def _lists(self, photo: Photo, *names: str) -> tuple[str, ...]:
        """These fields, and IPTC's where there is one."""
        is_iptc = photo.path.suffix in (".jpg", ".tif")
        return (*names, hands.IPTC) if is_iptc else names

    @rule(number=numbers, word=words)
    def somebody_adds_a_keyword(self, number: int, word: str) -> None:
        self.hand_adds(self.photo(number), (hands.SUBJECT,), word)

    @rule(number=numbers, word=words)
    def lightroom_adds(self, number: int, word: str) -> None:
        photo = self.photo(number)
        self.hand_adds(photo, self._lists(photo, hands.SUBJECT), word)

    @rule(number=numbers, word=words)
    def digikam_adds(self, number: int, word: str) -> None:
        self.hand_adds(self.photo(number), (hands.TAGS_LIST, hands.SUBJECT), word)

    @rule(number=numbers, word=words)
    def lightroom_adds_a_tree(self, number: int, word: str) -> None:
        photo = self.photo(number)
        names = self._lists(photo, hands.HIERARCHY, hands.SUBJECT)
        self.hand_adds(photo, names, f"Places|{word}")

    @rule(number=numbers, word=words)
    def digikam_adds_a_tree(self, number: int, word: str) -> None:
        names = (hands.TAGS_LIST, hands.SUBJECT)
        self.hand_adds(self.photo(number), names, f"Places/{word}")

    @rule(number=numbers, word=st.sampled_from(PLAIN))
    def windows_adds(self, number: int, word: str) -> None:
        photo = self.photo(number)
        if photo.path.suffix in (".jpg", ".tif"):
            self.hand_adds(photo, (hands.WINDOWS,), word)

    @rule(number=numbers, word=words)
    def lightroom_removes(self, number: int, word: str) -> None:
        """It does not know `TagsList`, nor Windows' field."""
        names = (hands.SUBJECT, hands.HIERARCHY, hands.IPTC)
        self.hand_removes(self.photo(number), names, word)

    @rule(number=numbers, word=words, name=st.sampled_from(hands.KEYWORDS))
    def somebody_removes_from_one_field(
        self, number: int, word: str, name: str
    ) -> None:
        self.hand_removes(self.photo(number), (name,), word)

    @rule(number=numbers, word=words)
    def somebody_removes_a_keyword(self, number: int, word: str) -> None:
        photo = self.photo(number)
        if key(word) not in photo.entries():
            return
        for path in (photo.path, photo.sidecar):
            for name in hands.KEYWORDS if path.exists() else ():
                hands.remove(path, name, word)
        photo.said.take(word)
        self.library.happened(photo)

    @rule(number=numbers, text=st.sampled_from(TEXTS))
    def somebody_describes(self, number: int, text: str) -> None:
        photo = self.photo(number)
        names: tuple[str, ...] = (hands.DESCRIPTION,)
        if photo.path.suffix in (".jpg", ".tif"):
            names += (hands.CAPTION, hands.EXIF_DESCRIPTION)
        self.hand_describes(photo, names, text)

    @rule(number=numbers)
    def somebody_removes_the_description(self, number: int) -> None:
        photo = self.photo(number)
        for path in (photo.path, photo.sidecar):
            told = hands.found(path)
            hands.describe(path, [n for n in hands.DESCRIPTIONS if told[n]], "")
        photo.said.description = None
        photo.said.described_outside, photo.said.silent = False, True
        self.library.happened(photo)

    @rule(number=numbers)
    def somebody_strips_the_photo(self, number: int) -> None:
        photo = self.photo(number)
        hands.strip(photo.path)
        photo.said = Said()
        self.library.happened(photo)

    # --- files as a whole ---

    @rule(number=numbers)
    def somebody_keeps_a_copy_aside(self, number: int) -> None:
        photo = self.photo(number)
        beside = photo.sidecar
        self.backup = (
            photo,
            photo.path.read_bytes(),
            beside.read_bytes() if beside.exists() else None,
            photo.said.copy(),
        )

    @precondition(lambda self: self.backup)
    @rule()
    def somebody_restores_the_copy(self) -> None:
        """What was taken out since and is there again is the person's.

        That is left open if nobody had noticed that it was gone, or another of the
        photo's files still had it.
        """
        assert self.backup
        photo, content, beside, was = self.backup
        out, mirrored = photo.said.out, self.library.mirrored(photo)
        noticed = out & photo.settled.out - photo.entries(mirrored)
        photo.path.write_bytes(content)
        photo.sidecar.unlink(missing_ok=True)
        if beside is not None:
            photo.sidecar.write_bytes(beside)
        there = photo.entries()
        photo.said = was.copy()
        words = {k: v for k, v in was.words.items() if k in there and k not in out}
        photo.said.words = words | dict.fromkeys(noticed & there)
        photo.said.out = {word for word in out if word not in there}
        photo.said.silent = False
        self.library.happened(photo)

    @precondition(lambda self: len(self.library.photos) < 4)
    @rule(number=numbers)
    def somebody_copies_the_photo(self, number: int) -> None:
        photo = self.photo(number)
        name = f"copy{len(self.library.photos)}{photo.path.suffix}"
        copy = photo.path.with_name(name)
        shutil.copy2(photo.path, copy)
        if photo.sidecar.exists():
            shutil.copy2(photo.sidecar, hands.beside(copy))
        was = photo.said.copy()
        there = hands.said_in(hands.found(copy))
        there |= hands.said_in(hands.found(hands.beside(copy)))
        was.words = {k: v for k, v in was.words.items() if k in there}
        was.out, was.silent = set(), False
        if not was.described_outside:
            was.description = None
        self.library.take_in(copy, was)
        self.library.is_pending = True

    @rule(number=numbers, moves=st.booleans(), copies=st.booleans())
    def somebody_renames_the_photo(
        self, number: int, moves: bool, copies: bool
    ) -> None:
        photo = self.photo(number)
        folder = self.library.folder / "below" if moves else self.library.folder
        folder.mkdir(exist_ok=True)
        others = {one.path.name for one in self.library.photos}
        free = (f"name{n}{photo.path.suffix}" for n in range(99))
        name = next(name for name in free if name not in others)
        beside, old = photo.sidecar, photo.path
        self.library.is_pending = True
        photo.path = folder / name
        for was, becomes in ((old, photo.path), (beside, photo.sidecar)):
            if was.exists():
                _move(was, becomes, copies=copies)
        # Of a file under another name only what it says itself can be believed.
        noted = hands.noted_in(hands.found(photo.path))
        photo.said.out &= photo.settled.out | noted


def _move(was: Path, becomes: Path, *, copies: bool) -> None:
    """As a rename, or as a move to another disk: the inode is new, times are kept."""
    if copies:
        shutil.copy2(was, becomes)
        was.unlink()
    else:
        was.rename(becomes)
