"""A library as people have it: photos of all formats, with words of several programs.

It is tagged, tagged again by another model, a tag is renamed, two are merged, and all
of that is undone; then each file has to say what it said before the first run. Not held
against it is the time of a person's sidecar, by which other programs tell that it
changed.

    python -m tests.mixed_library 1000    # prints figures; 0 if nothing is left over
"""

import argparse
import hashlib
import io
import os
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tagger.config import Config
from tagger.pipeline.carrying import carry_out
from tagger.pipeline.tagging import Tagging
from tagger.pipeline.undo import undo
from tagger.pipeline.verify import verify
from tagger.tracking import edits
from tagger.tracking.database import Database
from tagger.tracking.history import Which
from tests import support_imaging
from tests.ollama_double import OllamaDouble
from tests.support_imaging import Pixels
from tests.support_metadata import all_as_told, person_writes, pixels
from tests.support_pipeline import settings, strays
from tests.test_tagging import run

SAMPLES = sorted((Path(__file__).parent.parent / "data" / "samples").glob("*.[jpwth]*"))
SAVED = {
    "jpg": {"format": "JPEG", "quality": 88},
    "png": {"format": "PNG"},
    "webp": {"format": "WEBP", "quality": 80},
    "tif": {"format": "TIFF", "compression": "tiff_lzw"},
    "heic": {"format": "HEIF", "quality": 60},
    "avif": {"format": "AVIF", "quality": 60, "speed": 9},
    "gif": {"format": "GIF"},
    "jpeg": {"format": "JPEG", "quality": 70, "progressive": True},
}
SIDE_PX = 420
TOLD_AT_ONCE = 100
WORDS = ("stripes", "wall", "garden", "été", "2024", "b/w", "東京")

LIGHTROOM = (
    *("-XMP-dc:Subject=Oma", "-XMP-dc:Subject=Kyōto"),
    *("-XMP-lr:HierarchicalSubject=Places|Japan|Kyōto", "-XMP-xmp:Rating=4"),
    *("-XMP-lr:HierarchicalSubject=Oma", "-XMP-photoshop:City=Kyōto"),
    *("-XMP-dc:Description=Bei Oma", "-XMP-dc:Rights=Ann", "-XMP-xmp:Label=Red"),
    "-XMP-crs:Exposure2012=+0.35",
)
LIGHTROOM_IPTC = (
    *("-IPTC:CodedCharacterSet=UTF8", "-IPTC:Keywords=Oma", "-IPTC:Keywords=Kyōto"),
    *("-IPTC:City=Kyōto", "-IPTC:Caption-Abstract=Bei Oma"),
    *("-EXIF:ImageDescription=Bei Oma", "-EXIF:Artist=Ann"),
)
DIGIKAM = (
    *("-XMP-digiKam:TagsList=Animals/Dog", "-XMP-digiKam:TagsList=alone"),
    *("-XMP-dc:Subject=Dog", "-XMP-dc:Subject=alone", "-XMP-digiKam:PickLabel=1"),
    *("-XMP-microsoft:LastKeywordXMP=Animals/Dog", "-XMP-dc:Description-de=Ein Hund"),
    "-XMP-dc:Description=A dog",
)
WINDOWS = (
    *("-EXIF:XPKeywords=Urlaub;Strand", "-EXIF:XPComment=schön", "-EXIF:XPTitle=Meer"),
    *("-EXIF:Rating=3", "-XMP-microsoft:LastKeywordXMP=Urlaub"),
)
CAMERA = (
    *("-EXIF:Make=Canon", "-EXIF:Model=Canon EOS R6", "-EXIF:GPSLatitude=48.1"),
    *("-EXIF:GPSLatitudeRef=N", "-EXIF:DateTimeOriginal=2024:05:06 07:08:09"),
    *("-EXIF:ImageDescription=OLYMPUS DIGITAL CAMERA", "-EXIF:UserComment=by hand"),
)
OLD_IPTC = ("-IPTC:Keywords=alone", "-IPTC:By-line=Ann", "-IPTC:Caption-Abstract=Old")
# Words that are renamed and merged later on.
EDITED = ("-XMP-dc:Subject+=Common", "-XMP-dc:Subject+=wall")
BY_HAND = ("-XMP-dc:Subject=stripes", "-XMP-dc:Subject=été", "-XMP-xmp:Rating=2")


@dataclass(slots=True, kw_only=True)
class Figures:
    """What came of it. `unlisted` must be empty."""

    files: int = 0
    equal: int = 0
    listed: dict[str, set[str]] = field(default_factory=dict)
    unlisted: dict[str, set[str]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.seconds[what] = time.monotonic() - began

    def lines(self) -> list[str]:
        took = ", ".join(f"{what} {s:.0f} s" for what, s in self.seconds.items())
        fields = {name for names in self.listed.values() for name in names}
        return [
            f"{self.files} files: {took}",
            f"{self.equal} say what they said before",
            f"{len(self.listed)} differ in what undo listed: {sorted(fields)}",
            f"{len(self.unlisted)} differ in what it did not list: {self.unlisted}",
        ]


def make(folder: Path, count: int) -> list[Path]:
    """So many photos, no two alike, in subfolders of fifty."""
    kinds = sorted(support_imaging.KINDS)
    made = []
    for number in range(count):
        inside = folder / f"{number // 50:03}"
        inside.mkdir(parents=True, exist_ok=True)
        if number % 2:
            kind = kinds[number // 2 % len(kinds)]
            suffix = Path(support_imaging.KINDS[kind][0]).suffix
            name = f"{number:04} {kind}{suffix}"
            support_imaging.make(kind, inside, _painted(number), name=name)
        else:
            name = _photograph(inside, number)
        made.append(inside / name)
        _words(inside / name, number)
    return made


def _painted(number: int) -> Pixels:
    """The test picture with some pixels that no other has."""
    painted = support_imaging.painted()
    noise = np.random.default_rng(number).integers(0, 255, (8, 8, 3))
    painted[24:32, 40:48] = noise.astype(np.uint8)
    return painted


def _photograph(folder: Path, number: int) -> str:
    """A piece of a sample photograph, saved anew in one of the formats."""
    half = number // 2
    suffix = [*SAVED][half % len(SAVED)]
    with Image.open(SAMPLES[half // len(SAVED) % len(SAMPLES)]) as sample:
        sample.thumbnail((SIDE_PX * 2, SIDE_PX * 2))
        side = min(SIDE_PX, *sample.size)
        left = half * 7 % (sample.width - side + 1)
        top = half * 5 % (sample.height - side + 1)
        piece = sample.convert("RGB").crop((left, top, left + side, top + side))
        piece.putpixel((0, 0), (half % 256, half // 256, 99))
        exif = sample.getexif() if suffix == "jpg" else None
    name = f"{number:04} photograph.{suffix}"
    buffer = io.BytesIO()
    options: dict[str, Any] = dict(SAVED[suffix])
    if exif:
        options["exif"] = exif
    piece.save(buffer, str(options.pop("format")), **options)
    support_imaging.put(folder, name, buffer.getvalue())
    return name


def _words(path: Path, number: int) -> None:
    """What a person's program has put into the photo, or beside it; often nothing."""
    profile = number // 3 % 8 if number % 3 else 0
    has_iptc = path.suffix in (".jpg", ".jpeg", ".tif", ".tiff")
    words: dict[int, Sequence[str]] = {
        1: (*LIGHTROOM, *(LIGHTROOM_IPTC if has_iptc else ())),
        2: DIGIKAM,
        3: WINDOWS if has_iptc else CAMERA,
        4: CAMERA,
        5: OLD_IPTC if has_iptc else BY_HAND,
        6: BY_HAND,
    }
    is_plain = path.suffix == ".bmp" or "tiff-big" in path.name
    if profile == 7 or (profile and is_plain):
        person_writes(path.with_name(f"{path.name}.xmp"), *DIGIKAM)
    elif profile:
        no_exif = path.suffix == ".gif"
        given = [w for w in words[profile] if not (no_exif and w.startswith("-EXIF"))]
        if given:
            person_writes(path, *given)
    if number % 40 == 7:
        path.chmod(0o444)  # what is in there stays, whatever is renamed
    elif number % 5 == 0 and not is_plain and "avif-animated" not in path.name:
        person_writes(path, *EDITED)


def told(folder: Path, *, damaged: bool = False) -> dict[str, dict[str, object]]:
    """What exiftool says of every file, by its path; some may be `damaged`."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    found: dict[str, dict[str, object]] = {}
    for start in range(0, len(paths), TOLD_AT_ONCE):
        some = paths[start : start + TOLD_AT_ONCE]
        every = all_as_told(some, damaged=damaged)
        found |= zip(map(str, some), every, strict=True)
    return found


def answer(picture: bytes, _request: Mapping[str, object]) -> Mapping[str, object]:
    """What the other model says: always the same of the same picture."""
    number = hashlib.md5(picture).digest()[0]
    one, two = WORDS[number % len(WORDS)], WORDS[number // 7 % len(WORDS)]
    return {"description": f"{one}; {two}.", "tags": ["common", one, two], "text": ""}


def live(root: Path, count: int, say: Callable[[str], None]) -> Figures:
    """Make the library, work on it, undo all of that, and compare."""
    figures = Figures(files=count)
    folder = root / "photos"
    with figures.timed("make"):
        photos = make(folder, count)
        before = told(folder)
        shown = {path: pixels(path) for path in photos}
    say(f"{count} photos made")
    builtin = settings(root, model={"backend": "builtin"})
    with OllamaDouble(answer) as ollama:
        other = settings(root, ollama.url)
        with figures.timed("tag"):
            _done(run(builtin, folder))
        say("tagged")
        with figures.timed("re-tag"):
            _done(run(other, folder, retag=True))
        say("tagged again")
        with figures.timed("rename"):
            _replace(other, ["common"], "Shared")
        with figures.timed("merge"):
            _replace(other, ["wall", "Garden"], "Größe")
        say("renamed and merged")
        with figures.timed("verify"):
            report = verify(other, [])
        assert (report.photos, report.faults) == (count, ()), report
        assert told(folder) != before
        with figures.timed("undo"):
            outcome = undo(other, Which(place=os.fsencode(folder)))
        say("undone")
        assert len(outcome.photos) == count
        assert verify(other, []).faults == ()
    left = [*outcome.refused, *outcome.unrestorable]
    listed = {(one.file, one.field) for one in left}
    compare(figures, before, told(folder), listed)
    assert {path: pixels(path) for path in photos} == shown
    assert strays(folder) == []
    return figures


def _done(outcome: Tagging) -> None:
    assert [(i.shown_path, i.reason) for i in outcome.failed] == []


def _replace(config: Config, old: Sequence[str], new: str) -> None:
    with Database.of(config) as db:
        edit = edits.replace(db, old, new)
    carried = carry_out(config, edit)
    assert edit.photos > 0
    assert [(i.shown_path, i.reason) for i in carried.failed] == []


def compare(
    figures: Figures,
    before: Mapping[str, Mapping[str, object]],
    after: Mapping[str, Mapping[str, object]],
    listed: Collection[tuple[str, str]],
) -> None:
    """Count the files that say the same, and those that differ.

    `listed` are the fields, by file, of which undo said that they are not as before.
    """
    for file in sorted(before.keys() | after.keys()):
        was, now = before.get(file, {}), after.get(file, {})
        differs = {n for n in was.keys() | now.keys() if was.get(n) != now.get(n)}
        if file.endswith(".xmp"):
            differs.discard("System:FileModifyDate")
        known = {name for name in differs if (file, name) in listed}
        if known:
            figures.listed[file] = known
        if differs - known:
            figures.unlisted[file] = differs - known
        figures.equal += not differs


def main() -> int:
    parser = argparse.ArgumentParser(description="tag, edit and undo a mixed library")
    parser.add_argument("count", type=int, nargs="?", default=1000)
    count = parser.parse_args().count
    with tempfile.TemporaryDirectory() as root:
        figures = live(Path(root), count, lambda line: print(line, flush=True))
    print("\n".join(figures.lines()))
    return 1 if figures.unlisted else 0


if __name__ == "__main__":
    sys.exit(main())
