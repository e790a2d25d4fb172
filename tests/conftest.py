"""What every test gets: no settings from outside, and a tracking database."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tagger.tracking.database import Database

SETTINGS = ("OLLAMA_SERVER", "OLLAMA_MODEL", "DB_PATH", "HOST", "PORT")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("TAGGER_") or name in SETTINGS:
            monkeypatch.delenv(name)
    # Nothing a test starts may touch the project's own data folder.
    monkeypatch.setenv("TAGGER_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    """A new tracking database in a data folder of its own."""
    with Database.open(tmp_path / "data" / "tracking.db") as database:
        yield database
