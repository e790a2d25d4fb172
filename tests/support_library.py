"""A library that lives: photos, what was said of each, and the program at work."""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from tagger.config import Config
from tagger.errors import UsageError
from tagger.imaging.identity import identity
from tagger.pipeline import undo as undoing
from tagger.pipeline.carrying import carry_out
from tagger.pipeline.undo import PutBack, Undone
from tagger.pipeline.verify import verify
from tagger.records import ImageSnapshot, WriteMode
from tagger.tracking import conflicts, history
from tagger.tracking.database import Database
from tagger.tracking.edits import Edit
from tagger.tracking.history import Which
from tests import support_hands as hands
from tests.ollama_double import OllamaDouble
from tests.support_claims import check_photo, check_same
from tests.support_hands import key
from tests.support_metadata import as_told, pixels
from tests.support_pipeline import known_images, settings, strays
from tests.support_said import Event, Photo, Said
from tests.test_tagging import run

Make = Callable[[Database], Edit]


class Library:
    """Photos in one folder, the program that tags them, and the claims about both.

    `is_pending` says that something happened outside that the program has not met yet.
    """

    def __init__(self, root: Path, ollama: OllamaDouble) -> None:
        self.folder = root / "photos"
        self.folder.mkdir()
        self.config: Config = settings(root, ollama.url)
        self.ollama = ollama
        self.mode = WriteMode.FILE
        self.photos: list[Photo] = []
        self.is_pending = False

    def take_in(self, path: Path, said: Said | None = None) -> Photo:
        """A photo is there from now on."""
        photo = Photo(
            path=path,
            picture=identity(os.fsencode(path)),
            pixels=pixels(path),
            pristine=as_told(path) if said is None else None,
            said=said or Said(),
        )
        self.photos.append(photo)
        return photo

    def happened(self, photo: Photo) -> None:
        """Somebody else did something to a photo, which the program does not know."""
        photo.other()
        self.is_pending = True

    def mirrored(self, photo: Photo) -> Path:
        """The place of a photo's sidecar in the mirror."""
        return Path(f"{self.config.mirror_dir}{photo.path}.xmp")

    # --- what the program does ---

    def run(self, **options: object) -> None:
        """Tag the folder; what that writes is noted."""
        self.is_pending = False
        with self._noted():
            outcome = run(self.config, self.folder, **options)
        assert outcome.failed == [], outcome.failed
        for photo in self.photos:
            photo.settled = photo.said.copy()

    @contextlib.contextmanager
    def _noted(self) -> Iterator[None]:
        """Note of each photo which writes it got, and what was said before them."""
        before = {id(photo): photo.said.copy() for photo in self.photos}
        yield
        for photo in self.photos:
            known = {event.write_id for event in photo.events} | photo.over
            was = before[id(photo)]
            new = [i for i in self._standing(photo) if i not in known]
            photo.events += [Event(i, was) for i in sorted(new)]
            if new:
                photo.undone = None
                photo.is_synced = self.mode is WriteMode.FILE
            elif photo.said != was:
                photo.other()

    def _standing(self, photo: Photo) -> list[int]:
        if not self.config.tracking_path.exists():
            return []
        place = os.fsencode(photo.path)
        with Database.of(self.config) as db:
            return [past.id for past in history.chosen(db, Which(place=place))]

    def images(self) -> dict[Path, ImageSnapshot]:
        """Every photo as the catalogue is to show it."""
        known = known_images(self.config).values()
        return {Path(os.fsdecode(image.path)): image for image in known}

    def has(self, photo: Photo, word: str) -> bool:
        """Whether the program thinks that a photo has a tag."""
        image = self.images().get(photo.path)
        return image is not None and key(word) in {key(t.name) for t in image.tags}

    def edit(self, make: Make, change: Callable[[], None] = lambda: None) -> None:
        """An edit in the program; `change` says what it means."""
        with self._noted():
            try:
                with Database.of(self.config) as db:
                    edit = make(db)
            except UsageError:
                return
            change()
            if edit.id is not None:
                carried = carry_out(self.config, edit)
                assert carried.failed == carried.waiting == [], carried
        for photo in self.photos:
            photo.settled = photo.said.copy()

    def undo(self, which: Which) -> Undone:
        """Undo what the program did."""
        outcome = undoing.undo(self.config, which)
        by_photo: dict[Path, list[PutBack]] = {}
        for one in outcome.put_back:
            path = Path(os.fsdecode(one.write.path))
            by_photo.setdefault(path, []).append(one)
        assert outcome.run_id is not None
        for photo in self.photos:
            if steps := by_photo.get(photo.path):
                self._undone(photo, steps, outcome.run_id, by_tag=bool(which.tag))
        return outcome

    def _undone(
        self, photo: Photo, steps: list[PutBack], run_id: int, *, by_tag: bool
    ) -> None:
        """What was said of a photo before, if just its last writes were put back."""
        ids = {one.write.id for one in steps}
        photo.is_synced = False
        photo.over |= ids
        saved = photo.said.copy(), list(photo.events)
        tail = photo.events[-len(ids) :]
        if {event.write_id for event in tail} == ids and not by_tag:
            assert not any(one.refused for one in steps), steps
            photo.said = tail[0].before.copy()
            photo.events = photo.events[: -len(ids)]
        else:
            photo.said.weaken()
            photo.is_vague = True
            photo.events = [e for e in photo.events if e.write_id not in ids]
            photo.other()
        photo.settled = photo.said.copy()
        photo.undone = (run_id, *saved)

    def undo_undo(self) -> None:
        """Undo the last undo."""
        with Database.of(self.config) as db:
            past_runs = [r for r in history.every_run(db) if r.kind == "undo"]
        if not past_runs:
            return
        run_id = past_runs[0].id
        undoing.undo(self.config, Which(run_id=run_id))
        for photo in self.photos:
            if photo.undone is not None and photo.undone[0] == run_id:
                _, photo.said, photo.events = photo.undone
                photo.undone = None
            else:
                photo.said.weaken()
                photo.is_vague = True
                photo.other()
            photo.settled = photo.said.copy()

    def lose(self) -> None:
        """The program's own folder is gone; all it knew is what the files say."""
        shutil.rmtree(self.config.data_dir)
        self.is_pending = True
        for photo in self.photos:
            there, said = photo.entries(), photo.said
            said.words = {k: v for k, v in said.words.items() if k in there}
            removed = hands.found(photo.path)[hands.REMOVED]
            said.out &= set(map(key, removed)) if self.mode is WriteMode.FILE else set()
            said.silent = False
            if not said.described_outside and self.mode is not WriteMode.FILE:
                said.description = None
            photo.events, photo.undone, photo.pristine = [], None, None
            photo.is_vague = False

    # --- what must hold ---

    def check(self) -> None:
        """All claims, once the program has taken over what happened outside."""
        if self.is_pending:
            self.run()
        before = hands.states(self.folder)
        run(self.config, self.folder)
        check_same(before, hands.states(self.folder))
        images = self.images()
        assert images.keys() == {photo.path for photo in self.photos}
        for photo in self.photos:
            check_photo(photo, self.mirrored(photo), images[photo.path], self.mode)
        self._check_verified()
        assert strays(self.folder) == []

    def _check_verified(self) -> None:
        with Database.of(self.config) as db:
            disputed = {Path(os.fsdecode(one.path)) for one in conflicts.listed(db)}
        disputed |= {photo.path for photo in self.photos if photo.is_vague}
        faults = verify(self.config, []).faults
        left = [fault for fault in faults if Path(fault.file) not in disputed]
        assert left == [], (left, disputed)
