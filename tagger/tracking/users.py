"""Users: who may sign in, and what they may do.

Once there is one, nobody gets in who is none. So that nobody locks everyone out, the
last admin stays admin while others are there.
"""

import unicodedata
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from tagger.acting import Role
from tagger.errors import UsageError
from tagger.records import utc_now
from tagger.tracking.database import Database
from tagger.tracking.schema import signins, tokens, users

LONGEST_NAME = 64
# What the log calls those who are nobody by name.
_TAKEN = frozenset({"this machine", "everyone", "command line"})


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody who may sign in; without a password only a proxy or provider can."""

    id: int
    name: str
    role: Role
    has_password: bool
    created_at: str


def add(db: Database, name: str, *, role: Role, password: str | None) -> User:
    """Add one; `password` is what is kept of it. Raises `UsageError` if there is one
    of that name, or if it is no name."""
    name = _checked(name)
    with db.write() as connection:
        if _find(connection, name) is not None:
            raise UsageError(f"there is a user called {name} already")
        if role is not Role.ADMIN and not _admins(connection):
            raise UsageError("the first user must be an admin, who can add others")
        connection.execute(
            insert(users).values(
                name=name,
                key=key_of(name),
                role=role.value,
                password=password,
                created_at=utc_now(),
            )
        )
        return _user(_get(connection, name))


def every(db: Database) -> list[User]:
    """All of them, by name."""
    with db.read() as connection:
        rows = connection.execute(select(users).order_by(users.c.key))
        return [_user(row) for row in rows]


def are_any(db: Database) -> bool:
    """Whether there are users at all."""
    with db.read() as connection:
        return connection.execute(select(users.c.id).limit(1)).first() is not None


def has_admin(db: Database) -> bool:
    """Whether somebody can manage the others."""
    with db.read() as connection:
        return _admins(connection) > 0


def called(db: Database, name: str) -> User | None:
    """The user of that name, whatever its case."""
    with db.read() as connection:
        row = _find(connection, name)
        return None if row is None else _user(row)


def password_of(db: Database, name: str) -> tuple[User, str | None] | None:
    """A user, and what is kept of the password."""
    with db.read() as connection:
        row = _find(connection, name)
        return None if row is None else (_user(row), row.password)


def set_role(db: Database, name: str, role: Role) -> User:
    """Let a user do more or less; it holds at once, also for who is signed in."""
    with db.write() as connection:
        row = _get(connection, name)
        if role is not Role.ADMIN:
            _keep_an_admin(connection, row)
        connection.execute(
            update(users).where(users.c.id == row.id).values(role=role.value)
        )
        return _user(_get(connection, name))


def set_password(
    db: Database, name: str, password: str, *, but: str | None = None
) -> None:
    """Give a user another password. Whoever is signed in as that user is so no more,
    but for the sign-in whose hash is `but`."""
    with db.write() as connection:
        row = _get(connection, name)
        connection.execute(
            update(users).where(users.c.id == row.id).values(password=password)
        )
        connection.execute(
            delete(signins).where(
                signins.c.user_id == row.id, signins.c.hash != (but or "")
            )
        )


def remove(db: Database, name: str) -> None:
    """Let a user in no more; sign-ins and tokens end at once. What they did stays."""
    with db.write() as connection:
        row = _get(connection, name)
        _keep_an_admin(connection, row)
        for table in (signins, tokens):
            connection.execute(delete(table).where(table.c.user_id == row.id))
        connection.execute(delete(users).where(users.c.id == row.id))


def _checked(name: str) -> str:
    name = unicodedata.normalize("NFC", name.strip())
    if not is_name(name):
        raise UsageError(
            f"a user's name has 1 to {LONGEST_NAME} letters, digits or signs, and is "
            f"none of: {', '.join(sorted(_TAKEN))}"
        )
    return name


def is_name(name: str) -> bool:
    """Whether somebody can be called that."""
    is_long = not 0 < len(name) <= LONGEST_NAME
    return not is_long and name.isprintable() and key_of(name) not in _TAKEN


def is_same(one: str, other: str) -> bool:
    """Whether two names are one but for case.

    What looks alike, and has the same key, may be another person elsewhere.
    """
    folded = [unicodedata.normalize("NFC", name).lower() for name in (one, other)]
    return folded[0] == folded[1] and one.isascii() == other.isascii()


def key_of(name: str) -> str:
    """The name as it is looked up: without case, and however it is composed."""
    return unicodedata.normalize("NFKC", name.strip()).casefold()


def _find(connection: Connection, name: str) -> Row[Any] | None:
    return connection.execute(select(users).where(users.c.key == key_of(name))).first()


def _get(connection: Connection, name: str) -> Row[Any]:
    row = _find(connection, name)
    if row is None:
        raise UsageError(f"there is no user called {name}")
    return row


def _admins(connection: Connection) -> int:
    statement = select(func.count()).where(users.c.role == Role.ADMIN.value)
    return int(connection.execute(statement).scalar_one())


def _keep_an_admin(connection: Connection, row: Row[Any]) -> None:
    others = select(func.count()).select_from(users).where(users.c.id != row.id)
    if row.role != Role.ADMIN.value or _admins(connection) > 1:
        return
    if connection.execute(others).scalar_one():
        raise UsageError(f"{row.name} is the only admin: make somebody else one first")


def _user(row: Row[Any]) -> User:
    return User(
        id=row.id,
        name=row.name,
        role=Role(row.role),
        has_password=row.password is not None,
        created_at=row.created_at,
    )
