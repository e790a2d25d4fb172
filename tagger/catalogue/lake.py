"""Lake: the catalogue as snapshots in DuckLake, for any number of DuckDBs to read.

Rows come out of a Parquet file that the owner of the catalogue exported. A process of
its own brings them in, since the catalogue's own instance is to load no extension.
What changed since the last time becomes one snapshot; if nothing did, there is none.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tagger.config import ROOT
from tagger.errors import DataError, UsageError

PREFIX = "ducklake:"
_KINDS = {"sqlite": "sqlite_scanner", "postgres": "postgres_scanner"}
_SECRET = re.compile(r"(password|sslpassword)\s*=\s*('(?:[^'\\]|\\.)*'|\S+)", re.I)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a lake keeps its own catalogue: `kind` is `sqlite` or `postgres`.

    `place` is a file's absolute path, or what PostgreSQL's libpq connects by. A
    password is better left to `PGPASSWORD` or `~/.pgpass`, which libpq reads itself.
    """

    kind: str
    place: str

    @classmethod
    def parse(cls, text: str) -> "Target":
        """Out of `ducklake:sqlite:FILE` or `ducklake:postgres:dbname=… host=…`."""
        kind, _, place = text.removeprefix(PREFIX).partition(":")
        if not text.startswith(PREFIX) or kind not in _KINDS or not place.strip():
            raise UsageError(
                f"{masked(text)} is no lake to publish to; give ducklake:sqlite:FILE "
                "or ducklake:postgres:dbname=NAME host=HOST user=USER"
            )
        return cls(kind, os.path.abspath(place) if kind == "sqlite" else place.strip())

    @property
    def extensions(self) -> tuple[str, str]:
        """The extensions of DuckDB that it takes."""
        return "ducklake", _KINDS[self.kind]

    @property
    def address(self) -> str:
        return f"{PREFIX}{self.kind}:{self.place}"

    def __str__(self) -> str:
        return masked(self.address)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What a snapshot brought; `snapshot` is the lake's newest, also without news."""

    added: int
    changed: int
    removed: int
    photos: int
    snapshot: int

    @property
    def is_news(self) -> bool:
        return bool(self.added or self.changed or self.removed)


def masked(text: str) -> str:
    """The text without passwords."""
    return _SECRET.sub(r"\1=…", text)


@contextmanager
def workplace(data_dir: Path) -> Iterator[Path]:
    """A folder for the exported file and for what does not fit into memory."""
    with tempfile.TemporaryDirectory(prefix="publish-", dir=data_dir) as folder:
        yield Path(folder)


def publish(
    photos: Path, target: Target, *, library: str, data_path: Path | None = None
) -> Published:
    """Bring a Parquet export into a lake, which is made if there is none.

    `library` tells whose photos the lake holds; a lake of another one is refused.
    `data_path` is the folder of its Parquet files, which a new lake in PostgreSQL has
    to be told; beside a file it is `FILE.files`. Raises `DataError` with what to do.
    """
    if (
        data_path is None
        and target.kind == "sqlite"
        and not Path(target.place).exists()
    ):
        data_path = Path(f"{target.place}.files")
    order = {
        "photos": str(photos),
        "address": target.address,
        "extensions": target.extensions,
        "library": library,
        "data_path": str(data_path.absolute()) if data_path else None,
        "spill": str(photos.parent / "spill"),
    }
    answer = subprocess.run(
        [sys.executable, "-m", "tagger.catalogue.lake_child"],
        input=json.dumps(order),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    try:
        said = json.loads(answer.stdout)
    except ValueError:
        last = answer.stderr.strip().rsplit("\n", 1)[-1]
        raise DataError(
            f"publishing to {target} ended with code {answer.returncode}: "
            f"{masked(last)}; what was published before is still there"
        ) from None
    if "problem" in said:
        raise DataError(f"{target}: {masked(said['problem'])}")
    return Published(**said)
