"""Sign-ins: the browsers that were let in, each until its time is over or it ends.

A browser shows a token, of which only a hash is kept. Whose it is, and what that user
may do, is looked up each time, so that taking either away holds at once.
"""

import hashlib
import secrets
import time

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from tagger.acting import Role
from tagger.records import utc_now
from tagger.tracking.database import Database
from tagger.tracking.schema import signins, users


def begin(db: Database, user_id: int, *, hours: float) -> str:
    """Let a browser in for so long; the token it is to show. Old ones are cleared."""
    token = secrets.token_urlsafe(32)
    now = time.time()
    with db.write() as connection:
        connection.execute(delete(signins).where(signins.c.ends_at <= now))
        connection.execute(
            insert(signins).values(
                hash=hash_of(token),
                user_id=user_id,
                created_at=utc_now(),
                ends_at=now + hours * 3600,
            )
        )
    return token


def whose(db: Database, hash: str) -> tuple[str, Role] | None:
    """Name and role of the user who is signed in there; None if nobody is any more."""
    with db.read() as connection:
        row = connection.execute(
            select(users.c.name, users.c.role)
            .join(signins, signins.c.user_id == users.c.id)
            .where(signins.c.hash == hash, signins.c.ends_at > time.time())
        ).first()
    return None if row is None else (row.name, Role(row.role))


def end(db: Database, hash: str) -> None:
    """Let that browser in no more."""
    with db.write() as connection:
        connection.execute(delete(signins).where(signins.c.hash == hash))


def end_all(db: Database, user_id: int) -> int:
    """Let in no browser of that user any more; how many there were."""
    with db.write() as connection:
        ended = connection.execute(delete(signins).where(signins.c.user_id == user_id))
        return ended.rowcount


def open_of(db: Database, user_id: int) -> int:
    """How many browsers are signed in as that user."""
    with db.read() as connection:
        rows = connection.execute(
            select(signins.c.hash).where(
                signins.c.user_id == user_id, signins.c.ends_at > time.time()
            )
        )
        return len(rows.all())


def hash_of(token: str) -> str:
    """What is kept of a token. It is long and random, so a plain hash tells nothing."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
