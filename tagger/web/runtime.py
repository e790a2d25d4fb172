"""The runtime: what the app process holds open, for the API, thumbnails and pages.

`current()` is the process-wide one. The app's lifespan makes it; where no lifespan ran
(a page under test) it is made on demand, without supervisor and intake thread, and
takes new results over at each call instead.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

from tagger import config
from tagger.catalogue import intake
from tagger.catalogue.alike.duplicates import Duplicates
from tagger.catalogue.alike.likeness import Likeness
from tagger.catalogue.alike.meaning import Meaning
from tagger.catalogue.store import Catalogue
from tagger.catalogue.tagtable import TagTable
from tagger.catalogue.wanted import Wanted
from tagger.config import Config
from tagger.errors import DataError
from tagger.imaging.thumbnails import ThumbnailStore
from tagger.records import Status
from tagger.tracking import status, users
from tagger.tracking.database import Database
from tagger.web.links import Links
from tagger.web.masking import masked
from tagger.web.meanings import Meanings
from tagger.web.notices import Notices
from tagger.web.people import People
from tagger.web.supervisor import Supervisor

_STATUS_FRESH_S = 1.0

log = logging.getLogger(__name__)


class Runtime:
    """One data folder, opened."""

    def __init__(self, config: Config, db: Database, catalogue: Catalogue) -> None:
        self.config = config
        self.db = db
        self.catalogue = catalogue
        self.meanings = Meanings(lambda: self.config.semantic)
        self._remember_nothing()
        self.thumbnails = ThumbnailStore(config.thumbnails_dir)
        self.notices = Notices()
        self.sql_links: Links[str] = Links()
        self.selections: Links[Wanted] = Links()
        self.people = People(db, config.data_dir, lambda: self.config.auth)
        # Where one is sent to sign in at another provider, if one is set up, and out.
        self.provider_url: Callable[[], str] | None = None
        self.provider_end: str | None = None
        self.supervisor: Supervisor | None = None
        self.secret: str | None = None
        self._asking = threading.Lock()
        self._status: tuple[float, Status | None] = (0.0, None)

    @classmethod
    def open(cls, config: Config, *, wait_s: float = 0.0) -> "Runtime":
        """Open tracking database and catalogue, waiting for another holder to end.

        Raises `DataError` that names the holder when `wait_s` is over.
        """
        db = Database.of(config)
        try:
            catalogue = _open_catalogue(
                config, wait_s=wait_s, is_shared=users.are_any(db)
            )
            return cls(config, db, catalogue)
        except BaseException:
            db.close()
            raise

    def take(self) -> int:
        """Carry new results into the catalogue; how many changes were taken."""
        return intake.take(self.catalogue, self.db)

    def status(self) -> Status:
        """Where the tagger stands, at most a second ago: every screen keeps asking."""
        with self._asking:
            asked_at, known = self._status
            if known is None or time.monotonic() - asked_at >= _STATUS_FRESH_S:
                known = _as_told(status.read(self.db))
                self._status = (time.monotonic(), known)
            return known

    def forget_status(self) -> None:
        """Somebody just changed it: the next to ask hears of that."""
        with self._asking:
            self._status = (0.0, None)

    def apply(self, config: Config) -> None:
        """Go on with edited settings; the tagger is started anew to take them."""
        self.config = config
        if self.supervisor is not None:
            self.supervisor.restart()

    @contextmanager
    def tagger_held(self) -> Iterator[None]:
        """The tagger this app started stands still within the block."""
        if self.supervisor is None:
            yield
            return
        with self.supervisor.held():
            yield

    def renew(self) -> None:
        """The tracking database holds something else: catalogue and screens follow."""
        self._remember_nothing()
        self.people.forget()
        self.forget_status()
        self.take()

    def _remember_nothing(self) -> None:
        """Forget what was read of a database and kept in memory."""
        self.duplicates = Duplicates(self.catalogue)
        self.tags = TagTable(self.catalogue)
        self.catalogue.likeness = Likeness(self.db)
        self.catalogue.meaning = Meaning(
            self.db, method=self.meanings.method, embed=self.meanings.vector
        )

    def close(self) -> None:
        self.meanings.close()
        self.catalogue.close()
        self.db.close()


def _as_told(found: Status) -> Status:
    """What everybody may see: a server's address may hold a password."""
    return replace(
        found,
        message=masked(found.message),
        backend=masked(found.backend),
        servers=tuple(replace(one, **masked(asdict(one))) for one in found.servers),
    )


def _open_catalogue(config: Config, *, wait_s: float, is_shared: bool) -> Catalogue:
    """The catalogue; where people share it, none of them waits for another's scan."""
    path, search_dir = config.catalogue_path, config.search_dir
    try:
        return Catalogue.open(path, search_dir, spares_core=is_shared)
    except DataError as error:
        if not wait_s:
            raise
        log.warning("%s; trying for %.0f s", error, wait_s)
        return Catalogue.open(path, search_dir, wait_s=wait_s, spares_core=is_shared)


class _Slot:
    """Holds the process-wide runtime, and whether a lifespan owns it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runtime: Runtime | None = None
        self._owned = False

    def put(self, runtime: Runtime | None) -> None:
        with self._lock:
            self._close_unowned()
            self._runtime, self._owned = runtime, runtime is not None

    def get(self) -> Runtime:
        with self._lock:
            if self._runtime is not None and self._owned:
                return self._runtime
            runtime = self._on_demand(config.load())
        runtime.take()
        return runtime

    def peek(self) -> Runtime | None:
        return self._runtime

    def is_served(self) -> bool:
        known = self._runtime
        return self._owned and known is not None and known.supervisor is not None

    def secret(self) -> str | None:
        runtime = self._runtime
        return runtime.secret if runtime is not None else None

    def _on_demand(self, settings: Config) -> Runtime:
        known = self._runtime
        if known is not None and _places(known.config) == _places(settings):
            known.config = settings
            return known
        self._close_unowned()
        self._runtime = Runtime.open(settings)
        return self._runtime

    def _close_unowned(self) -> None:
        if self._runtime is not None and not self._owned:
            self._runtime.close()
            self._runtime = None


def _places(settings: Config) -> tuple[Path, Path]:
    return settings.data_dir, settings.catalogue_path


_slot = _Slot()


def current() -> Runtime:
    """The runtime of this process; made on demand where no lifespan made it."""
    return _slot.get()


def use(runtime: Runtime | None) -> None:
    """Set the runtime of this process, or take it away; for the lifespan and tests."""
    _slot.put(runtime)


def peek() -> Runtime | None:
    """The runtime of this process if there is one already."""
    return _slot.peek()


def is_served() -> bool:
    """Whether a lifespan owns the runtime, so that the guard stands before all."""
    return _slot.is_served()


def secret() -> str | None:
    """The secret that trusted clients of this process show; None without a lifespan."""
    return _slot.secret()
