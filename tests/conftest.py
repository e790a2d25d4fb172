"""What every test gets: no settings from outside, and a tracking database.

With `--postgresql` tracking databases are in a real PostgreSQL server, one for each
test, so that what holds of one holds of the other.
"""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadGroupScheduling

from tagger.tracking.database import Database
from tagger.web import runtime
from tests.support_postgres import Postgres

SETTINGS = ("OLLAMA_SERVER", "OLLAMA_MODEL", "DB_PATH", "HOST", "PORT")
URL = "TAGGER_TRACKING__URL"

# Their tests share what takes a minute and more to set up.
TOGETHER = frozenset(
    f"tests/test_{name}.py"
    for name in (
        "torture",
        "screens",
        "dashboard_browser",
        "people_browser",
        "photo_browser",
    )
)


class Together(LoadGroupScheduling):
    """One worker has all tests of such a file; all others go one by one.

    The marks that are meant for this are not seen by xdist 3.8 under pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if file in TOGETHER else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(
    config: pytest.Config, log: Producer
) -> LoadGroupScheduling | None:
    return Together(config, log) if config.getoption("dist") == "loadgroup" else None


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--screens", help="the folder that keeps pictures of the screens")
    parser.addoption(
        "--postgresql", action="store_true", help="keep tracking in PostgreSQL"
    )


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """What is claimed of SQLite's own ways is nothing to ask PostgreSQL."""
    if config.getoption("--postgresql"):
        other = [item for item in items if item.get_closest_marker("sqlite")]
        items[:] = [item for item in items if item not in other]
        config.hook.pytest_deselected(items=other)


@pytest.fixture(scope="session")
def _server(request: pytest.FixtureRequest) -> Iterator[Postgres | None]:
    if not request.config.getoption("--postgresql"):
        yield None
        return
    with Postgres() as server:
        yield server


@pytest.fixture(autouse=True)
def _no_settings_from_outside(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, _server: Postgres | None
) -> None:
    for name in list(os.environ):
        if name.startswith("TAGGER_") or name in SETTINGS:
            monkeypatch.delenv(name)
    # Nothing a test starts may touch the project's own data folder.
    monkeypatch.setenv("TAGGER_DATA_DIR", str(tmp_path / "data"))
    if _server is not None:
        monkeypatch.setenv(URL, _server.fresh())


@pytest.fixture(autouse=True)
def _log_levels_stay() -> Iterator[None]:
    """A command that a test runs in this process is quiet; the next test is not."""
    loggers = [logging.getLogger(name) for name in ("tagger", "httpx")]
    levels = [logger.level for logger in loggers]
    yield
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    """A new tracking database in a data folder of its own."""
    path = tmp_path / "data" / "tracking.db"
    with Database.open(path, url=os.environ.get(URL, "")) as database:
        yield database


@pytest.fixture
def own_runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A settings file of the test's own; no runtime is in force after the test."""
    monkeypatch.setenv("TAGGER_CONFIG", str(tmp_path / "config.toml"))
    (tmp_path / "config.toml").write_text("# What the tests set.\n")
    yield
    runtime.use(None)
