"""Tokens: what programs show to the API instead of signing in.

A token has a name, ends after a while, and may be used for less than its owner may do,
never for more. Only a hash of it is kept; the token itself is shown once.
"""

import secrets
import time
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from tagger.acting import Role
from tagger.errors import UsageError
from tagger.records import iso, utc_now
from tagger.tracking.database import Database
from tagger.tracking.schema import tokens, users
from tagger.tracking.signins import hash_of
from tagger.tracking.users import key_of

# It says what it is wherever one is left lying about.
PREFIX = "imagetagger_"
LONGEST_NAME = 64
MOST_DAYS = 366 * 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token as it is listed: what it is for, not what it is. Times are UTC."""

    id: int
    user: str
    name: str
    role: Role
    created_at: str
    ends_at: str
    is_over: bool
    used_at: str | None


def make(
    db: Database, user: str, name: str, *, role: Role | None = None, days: float
) -> tuple[Token, str]:
    """Make one for a user, by default for all they may do; the token is only told now.

    Raises `UsageError` for an unknown user, a role above theirs, or a bad name or time.
    """
    name = name.strip()
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise UsageError(f"a token's name has 1 to {LONGEST_NAME} letters")
    if not 0 < days <= MOST_DAYS:
        raise UsageError(f"a token is for more than 0 and at most {MOST_DAYS} days")
    secret = PREFIX + secrets.token_urlsafe(32)
    with db.write() as connection:
        owner = connection.execute(
            select(users).where(users.c.key == key_of(user))
        ).first()
        if owner is None:
            raise UsageError(f"there is no user called {user}")
        if role is not None and not Role(owner.role).includes(role):
            raise UsageError(f"{owner.name} is {owner.role}, and cannot lend {role}")
        made = connection.execute(
            insert(tokens)
            .values(
                user_id=owner.id,
                name=name,
                hash=hash_of(secret),
                role=(role or Role(owner.role)).value,
                created_at=utc_now(),
                ends_at=time.time() + days * 86_400,
            )
            .returning(tokens.c.id)
        ).scalar_one()
    return next(one for one in every(db) if one.id == made), secret


def every(db: Database, user: str | None = None) -> list[Token]:
    """All tokens, or those of one user, the newest first."""
    statement = select(tokens, users.c.name.label("user")).join(users)
    if user is not None:
        statement = statement.where(users.c.key == key_of(user))
    now = time.time()
    with db.read() as connection:
        rows = connection.execute(statement.order_by(tokens.c.id.desc()))
        return [
            Token(
                id=row.id,
                user=row.user,
                name=row.name,
                role=Role(row.role),
                created_at=row.created_at,
                ends_at=iso(row.ends_at),
                is_over=row.ends_at <= now,
                used_at=row.used_at,
            )
            for row in rows
        ]


def revoke(db: Database, token_id: int, *, user: str | None = None) -> Token:
    """Take a token away, of that user if one is named; it is refused from now on."""
    found = next((one for one in every(db, user) if one.id == token_id), None)
    if found is None:
        raise UsageError(f"there is no token {token_id}")
    with db.write() as connection:
        connection.execute(delete(tokens).where(tokens.c.id == token_id))
    return found


def whose(db: Database, hash: str) -> tuple[str, Role] | None:
    """Name of the owner, and what the token may be used for; None for no token."""
    with db.read() as connection:
        row = connection.execute(
            select(users.c.name, users.c.role, tokens.c.role.label("lent"))
            .join(tokens, tokens.c.user_id == users.c.id)
            .where(tokens.c.hash == hash, tokens.c.ends_at > time.time())
        ).first()
    if row is None:
        return None
    own, lent = Role(row.role), Role(row.lent)
    return row.name, lent if own.includes(lent) else own


def note_use(db: Database, hash: str) -> None:
    """Put down that it was used just now."""
    with db.write() as connection:
        connection.execute(
            update(tokens).where(tokens.c.hash == hash).values(used_at=utc_now())
        )
