"""What tests of write modes share: a library, a model, and the person's hand."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tagger.config import Config
from tagger.pipeline.discover import Scanner
from tagger.pipeline.tagging import Tagging, tag
from tagger.pipeline.verify import verify
from tagger.records import ImageSnapshot, WriteMode
from tagger.tracking import folders
from tagger.tracking.database import Database
from tagger.tracking.files import ScanOutcome
from tagger.vision.choose import choose
from tests.ollama_double import OllamaDouble
from tests.support_metadata import field, person_writes
from tests.support_pipeline import known_images, settings

FIRST = {"description": "A dog.", "tags": ["dog", "grass"], "text": ""}
SECOND = {"description": "A puppy.", "tags": ["puppy", "grass"], "text": ""}

State = tuple[bytes, tuple[int, ...]]


@dataclass
class Library:
    """A folder of photos with its settings, and the model that is asked about them."""

    root: Path
    config: Config
    ollama: OllamaDouble
    mode: WriteMode

    def run(self, *paths: Path, **options: object) -> Tagging:
        """What `tag` does; every photo must be done."""
        outcome = self.tried(*paths, **options)
        assert outcome.failed == []
        return outcome

    def tried(self, *paths: Path, **options: object) -> Tagging:
        given = [os.fsencode(path) for path in paths or (self.root,)]
        options.setdefault("write_mode", self.mode)
        return tag(self.config, given, choose(self.config), **options)  # type: ignore[arg-type]

    def scan(self) -> ScanOutcome:
        """What the regular scan sees; nothing is worked on."""
        with Database.of(self.config) as db:
            [folder] = [
                f for f in folders.every(db) if f.path == os.fsencode(self.root)
            ]
            scanner = Scanner(
                db,
                data_dir=self.config.data_dir,
                settle_s=0.0,
                mirror_dir=self.config.mirror_dir,
            )
            outcome = scanner.scan(folder)
        assert outcome is not None
        return outcome

    def sidecar(self, photo: Path) -> Path:
        """Where the words of this photo are to be, by the documentation."""
        if self.mode is WriteMode.MIRROR:
            return Path(f"{self.config.mirror_dir}{photo}.xmp")
        return Path(f"{photo}.xmp") if self.mode is WriteMode.SIDECAR else photo

    def image(self, name: str = "a.jpg") -> ImageSnapshot:
        return known_images(self.config)[name]

    def sources(self, name: str = "a.jpg") -> dict[str, str]:
        return {tag.name: tag.source for tag in self.image(name).tags}

    def faults(self) -> list[str]:
        found = verify(self.config, []).faults
        return [f"{Path(fault.file).name}: {fault.problem}" for fault in found]


def library(
    tmp_path: Path, ollama: OllamaDouble, mode: WriteMode, **metadata: object
) -> Library:
    sections: Mapping[str, Mapping[str, object]] = {"metadata": metadata}
    config = settings(tmp_path, ollama.url, **sections)
    (tmp_path / "photos").mkdir(exist_ok=True)
    return Library(tmp_path / "photos", config, ollama, mode)


def subject(path: Path) -> list[str]:
    """The keywords of a file, doubles included; exiftool may change their order."""
    return sorted(field(path, "XMP-dc:Subject"))


def description(path: Path) -> list[str]:
    return field(path, "XMP-dc:Description")


def exiftool(path: Path, *arguments: str) -> None:
    """What a person does with another program."""
    person_writes(path, "-m", *arguments)


def take_out(path: Path, *names: str) -> None:
    where = ("XMP-dc:Subject", "XMP-digiKam:TagsList", "IPTC:Keywords")
    where = where if path.suffix != ".xmp" else where[:2]
    exiftool(path, *(f"-{one}-={name}" for one in where for name in names))


def put_in(path: Path, *names: str) -> None:
    exiftool(path, *(f"-XMP-dc:Subject+={name}" for name in names))


def tree(folder: Path) -> dict[str, State]:
    """Every file and folder, byte for byte, with all that `stat` tells but access."""
    return {
        str(path.relative_to(folder)): (
            path.read_bytes() if path.is_file() else b"",
            _stat(path),
        )
        for path in [folder, *sorted(folder.rglob("*"))]
    }


def _stat(path: Path) -> tuple[int, ...]:
    found = path.stat()
    return (
        *(found.st_dev, found.st_ino, found.st_mode, found.st_nlink, found.st_uid),
        *(found.st_gid, found.st_size, found.st_mtime_ns, found.st_ctime_ns),
    )
