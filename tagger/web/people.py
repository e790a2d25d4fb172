"""People: who somebody is, by what their browser or program shows.

What is shown leads to a `Known`: a sign-in, a token, a name that a proxy vouches for,
or just being at this machine. Who that is, and what they may do, is looked up each
time, at most a second ago; so taking a role away holds at once, also for a page that
stands open since yesterday.
"""

import hashlib
import hmac
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from itsdangerous import BadSignature, Signer

from tagger import acting
from tagger.acting import Person, Role
from tagger.errors import DataError
from tagger.sections import Auth
from tagger.tracking import signins, tokens, users
from tagger.tracking.database import Database

FRESH_S = 1.0
MOST_REMEMBERED = 10_000
_USE_NOTED_S = 60.0
_KEY = "signing.key"

log = logging.getLogger(__name__)

Kind = Literal["here", "everyone", "signin", "token", "named"]


@dataclass(frozen=True, slots=True)
class Known:
    """How somebody is known. `key` is a hash of what they showed, or their name."""

    kind: Kind
    key: str = ""


HERE, EVERYONE = Known("here"), Known("everyone")


class People:
    """The users of one tracking database, as the guard and the screens ask for them."""

    def __init__(self, db: Database, data_dir: Path, auth: Callable[[], Auth]) -> None:
        self._db = db
        self._auth = auth
        self._signer = Signer(_signing_key(data_dir), salt="image tagger sign-in")
        self._lock = threading.Lock()
        self._visits: dict[str, Known] = {}
        self.forget()

    def forget(self) -> None:
        """Look everything up anew: somebody just changed who may do what."""
        with self._lock:
            self._found: dict[Known, tuple[float, tuple[str, Role] | None]] = {}
            self._any: tuple[float, bool] = (-FRESH_S, False)
            self._noted: dict[str, float] = {}

    def are_any(self) -> bool:
        """Whether there are users, so that everyone has to sign in."""
        at, known = self._any
        if time.monotonic() - at >= FRESH_S:
            known = users.are_any(self._db)
            self._any = (time.monotonic(), known)
        return known

    def remembers(self, known: Known | None = None) -> bool:
        """Whether asking costs nothing now: whether there are users, or who this is."""
        now = time.monotonic()
        at = self._any[0]
        if known is not None and known not in (HERE, EVERYONE):
            at = self._found.get(known, (-FRESH_S, None))[0]
        return now - at < FRESH_S

    def person(self, known: Known, way: str) -> Person | None:
        """Who that is now; None if they are let in no more."""
        if known.kind in ("here", "everyone"):
            # Both only while nobody has to sign in.
            if self.are_any():
                return None
            name = "this machine" if known.kind == "here" else "everyone"
            return Person(name, Role.ADMIN, way, is_here=known.kind == "here")
        found = self._remembered(known)
        return None if found is None else Person(*found, way)

    def _remembered(self, known: Known) -> tuple[str, Role] | None:
        at, found = self._found.get(known, (-FRESH_S, None))
        if time.monotonic() - at < FRESH_S:
            return found
        found = self._look_up(known)
        with self._lock:
            if len(self._found) >= MOST_REMEMBERED:
                self._found.clear()
            self._found[known] = (time.monotonic(), found)
        return found

    def _look_up(self, known: Known) -> tuple[str, Role] | None:
        if known.kind == "signin":
            return signins.whose(self._db, known.key)
        if known.kind == "token":
            found = tokens.whose(self._db, known.key)
            if found is not None:
                self._note_use(known.key)
            return found
        return self._named(known)

    def _named(self, known: Known) -> tuple[str, Role] | None:
        if not users.is_name(known.key):
            return None
        user = users.called(self._db, known.key)
        if user is not None:
            is_it = users.is_same(user.name, known.key)
            return (user.name, user.role) if is_it else None
        role = self._auth().default_role
        return (known.key, Role(role)) if role else None

    def _note_use(self, hash: str) -> None:
        """A program asks many times a second; when it last did need not be exact."""
        now = time.monotonic()
        if now - self._noted.get(hash, -_USE_NOTED_S) >= _USE_NOTED_S:
            self._noted[hash] = now
            try:
                with acting.on_record():  # it is no change that somebody makes
                    tokens.note_use(self._db, hash)
            except DataError as error:  # a full disk keeps nobody from looking
                log.warning("that a token was used is not put down: %s", error)

    # What browsers and programs show

    def sealed(self, token: str) -> str:
        """A sign-in's token as the cookie holds it."""
        return self._signer.sign(token).decode()

    def by_cookie(self, value: str) -> Known | None:
        """The sign-in a cookie is of; None if we never made it."""
        try:
            token = self._signer.unsign(value.encode("utf-8", "surrogateescape"))
        except BadSignature:
            return None
        return Known("signin", signins.hash_of(token.decode()))

    # Screens: a websocket is opened once, and asks for as long as it lasts

    def arrive(self, known: Known) -> str:
        """Somebody opened a screen; the key under which to ask who they are now."""
        key = secrets.token_urlsafe(16)
        with self._lock:
            self._visits[key] = known
        return key

    def leave(self, key: str) -> None:
        """The screen was closed."""
        with self._lock:
            self._visits.pop(key, None)

    @property
    def visits(self) -> int:
        """How many screens are open."""
        return len(self._visits)

    def visiting(self, key: str | None) -> Known | None:
        """How whoever has this screen open is known."""
        return None if key is None else self._visits.get(key)


def by_token(token: str) -> Known:
    """The program that shows this token."""
    return Known("token", signins.hash_of(token))


def same(one: str, other: str) -> bool:
    """Whether two secrets are one, in a time that does not tell how much of them is."""
    digests = [
        hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
        for text in (one, other)
    ]
    return hmac.compare_digest(*digests)


def _signing_key(data_dir: Path) -> bytes:
    """The key cookies are signed with; made once, readable by its owner alone."""
    path = data_dir / _KEY
    temporary = data_dir / f".{_KEY}.{os.getpid()}.{secrets.token_hex(4)}"
    try:
        return path.read_bytes()
    except FileNotFoundError:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with open(os.open(temporary, flags, 0o600), "wb") as file:
            file.write(secrets.token_bytes(32))
        _put_first(temporary, path)
        return path.read_bytes()


def _put_first(made: Path, path: Path) -> None:
    """Put a file in its place, whole, unless another was put there before."""
    try:
        os.link(made, path)
        made.unlink()
    except FileExistsError:
        made.unlink()
    except OSError:  # a file system without hard links: the last one holds
        made.replace(path)
