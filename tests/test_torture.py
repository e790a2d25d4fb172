"""A thousand pictures made to break decoders and writers are safe with the program.

One run of the whole program over them, tagged, tagged again, checked and undone, is
told by several claims. Words come from a double of Ollama, which has them in several
alphabets and does not cost the time of a model.
"""

import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tagger.config import Config
from tagger.records import Cost, ImageSnapshot, ImageState, WriteMode
from tagger.tracking import costs, snapshots
from tagger.tracking.database import Database
from tests import mixed_library, torture
from tests.conftest import SETTINGS
from tests.mixed_library import Figures, compare, told
from tests.ollama_double import OllamaDouble
from tests.support_pipeline import settings, strays
from tests.torture import Digest, Ran, Shown, command, digests

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
]

PICTURES = 1005
FEWEST_TAGGED = 950
FEWEST_WRITTEN = 850
PHOTO_S = 60.0
PEAK_BYTES = 1 << 30
# What exiftool cannot put back: it says other things of a file than it did, or has
# arranged it anew.
LISTED = {
    "ExifTool:Warning",
    "File:CurrentIPTCDigest",
    "Photoshop:IPTCDigest",
    "QuickTime:MediaDataSize",
    "XMP-x:XMPToolkit",
}
ALL_DONE, SOME_FAILED = 0, 3
IN_FILE, BESIDE = WriteMode.FILE, WriteMode.SIDECAR


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What was there at each time, and what each command said.

    `shown` is what the pictures showed that were written into: identity and pixels,
    first before, then after.
    """

    photos: Path
    images: Mapping[str, ImageSnapshot]
    spent: Mapping[str, Cost | None]
    at_first: Mapping[str, Digest]
    once_tagged: Mapping[str, Digest]
    twice_tagged: Mapping[str, Digest]
    shown: Mapping[str, tuple[Shown, Shown]]
    tagged: Ran
    again: Ran
    verified: Ran
    undone: Ran
    figures: Figures

    def paths(self, state: ImageState) -> list[str]:
        return [path for path, image in self.images.items() if image.state is state]

    @property
    def runs(self) -> dict[str, Ran]:
        return {
            "tag": self.tagged,
            "tag again": self.again,
            "verify": self.verified,
            "undo": self.undone,
        }


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    root = tmp_path_factory.mktemp("torture")
    with pytest.MonkeyPatch.context() as outside:
        for name in [*SETTINGS, *(n for n in os.environ if n.startswith("TAGGER_"))]:
            outside.delenv(name, raising=False)
        with OllamaDouble(mixed_library.answer) as ollama:
            lived = _lived(root, settings(root, ollama.url))
    yield lived
    shutil.rmtree(root)


def _lived(root: Path, config: Config) -> Story:
    figures = Figures()
    with figures.timed("fetch"):
        torture.fetch(root / "originals")
        photos = Path(shutil.copytree(root / "originals", root / "photos"))
        at_first = digests(photos)
    with figures.timed("exiftool before"):
        before = told(photos, damaged=True)
    began = datetime.now(UTC).isoformat()
    with figures.timed("tag"):
        tagged = command(config, "tag", str(photos))
    once_tagged = digests(photos)
    images, spent = _on_record(config)
    with figures.timed("tag again"):
        again = command(config, "tag", str(photos))
    twice_tagged = digests(photos)
    with figures.timed("verify"):
        verified = command(config, "verify", "--json", str(photos))
    with figures.timed("decode"):
        written = [path for path in at_first if at_first[path] != once_tagged[path]]
        shown = _shown(written, photos, root / "originals")
    with figures.timed("undo"):
        undone = command(config, "undo", "--json", "--since", began)
    with figures.timed("exiftool after"):
        after = told(photos, damaged=True)
    answer = undone.json()
    left = [*answer["refused"], *answer["unrestorable"]]
    compare(figures, before, after, {(one["file"], one["field"]) for one in left})
    figures.files = len(at_first)
    return Story(
        photos=photos,
        images=images,
        spent=spent,
        at_first=at_first,
        once_tagged=once_tagged,
        twice_tagged=twice_tagged,
        shown=shown,
        tagged=tagged,
        again=again,
        verified=verified,
        undone=undone,
        figures=figures,
    )


def _on_record(
    config: Config,
) -> tuple[dict[str, ImageSnapshot], dict[str, Cost | None]]:
    """Every photo on record, and what it took, by its path."""
    with Database.of(config) as db:
        images = {one.shown_path: one for one in snapshots.after(db, 0, limit=10_000)}
        return images, {path: costs.of(db, one.id) for path, one in images.items()}


def _shown(
    written: Sequence[str], photos: Path, originals: Path
) -> dict[str, tuple[Shown, Shown]]:
    before = [str(originals / Path(path).relative_to(photos)) for path in written]
    found = torture.shown([*before, *written])
    return {
        path: (found[old], found[path])
        for old, path in zip(before, written, strict=True)
    }


def test_every_picture_is_tagged_or_refused_with_a_reason(story: Story) -> None:
    assert story.tagged.code == SOME_FAILED, story.tagged.messages
    assert len(story.at_first) == PICTURES
    assert story.images.keys() == story.at_first.keys()
    tagged = story.paths(ImageState.TAGGED)
    refused = story.paths(ImageState.FAILED)
    assert len(tagged) + len(refused) == PICTURES, _states(story)
    assert len(tagged) >= FEWEST_TAGGED, _states(story)
    for path in refused:
        reason = story.images[path].reason
        assert reason is not None
        assert reason.strip(), path
        assert f"{path}: failed: {reason}" in story.tagged.messages


def _states(story: Story) -> Counter[tuple[str, str | None]]:
    return Counter((one.state.value, one.reason) for one in story.images.values())


def test_no_picture_takes_long(story: Story) -> None:
    for path, spent in story.spent.items():
        assert spent is not None, path
        took_s = spent.looking_s + spent.asking_s + spent.writing_s
        assert took_s < PHOTO_S, path


def test_no_process_takes_more_than_a_gigabyte(story: Story) -> None:
    for what, ran in story.runs.items():
        assert {"exiftool"} <= ran.peak_bytes.keys() or what == "verify", what
        assert max(ran.peak_bytes.values()) < PEAK_BYTES, (what, ran.peak_bytes)


def test_what_is_refused_or_has_a_sidecar_stays_as_it_was_to_the_byte(
    story: Story,
) -> None:
    into = {path for path, one in story.images.items() if one.written_mode is IN_FILE}
    changed = {p for p, was in story.at_first.items() if story.once_tagged[p] != was}
    assert changed == into
    new = story.once_tagged.keys() - story.at_first.keys()
    beside = {p: one for p, one in story.images.items() if one.written_mode is BESIDE}
    assert new == {f"{path}.xmp" for path in beside}
    assert [path for path, one in beside.items() if not one.reason] == []


def test_tagged_pictures_show_what_they_showed(story: Story) -> None:
    assert len(story.shown) > FEWEST_WRITTEN
    differing = {p: both for p, both in story.shown.items() if both[0] != both[1]}
    assert differing == {}
    decoded = [before for before, _ in story.shown.values() if before.pixels]
    assert len(decoded) > FEWEST_WRITTEN


def test_a_check_finds_all_well(story: Story) -> None:
    assert story.verified.code == ALL_DONE, story.verified.messages
    report = story.verified.json()
    assert report["faults"] == []
    assert report["photos"] == len(story.paths(ImageState.TAGGED))
    assert strays(story.photos) == []


def test_a_second_run_changes_no_byte(story: Story) -> None:
    assert story.again.code == SOME_FAILED, story.again.messages
    assert story.twice_tagged == story.once_tagged


def test_all_of_it_can_be_undone_or_is_listed(story: Story) -> None:
    assert story.undone.code == ALL_DONE, story.undone.messages
    assert story.undone.json()["photos"] == len(story.paths(ImageState.TAGGED))
    assert {str(p) for p in torture.files(story.photos)} == story.at_first.keys()
    assert story.figures.unlisted == {}, story.figures.lines()
    fields = {name for names in story.figures.listed.values() for name in names}
    assert fields <= LISTED
