"""People for tests: users with their cookies and tokens, as sign-in makes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from tagger import passwords
from tagger.acting import Role
from tagger.tracking import signins, tokens, users
from tagger.web.guard import COOKIE
from tagger.web.runtime import Runtime

PASSWORD = "a password of some length"


@cache
def kept() -> str:
    """What is kept of the password: made once, for it takes its time."""
    return passwords.hashed(PASSWORD, name="nobody")


@dataclass(frozen=True)
class Someone:
    """A user who is signed in, and has a token."""

    name: str
    role: Role
    cookie: Mapping[str, str]
    token: Mapping[str, str]


def someone(opened: Runtime, role: Role, name: str | None = None) -> Someone:
    """Add a user of this role, signed in."""
    user = users.add(opened.db, name or role.value, role=role, password=kept())
    secret = tokens.make(opened.db, user.name, "a test", days=1)[1]
    opened.people.forget()
    return Someone(user.name, role, signed_in(opened, user.id), bearer(secret))


def signed_in(opened: Runtime, user_id: int, *, hours: float = 1.0) -> dict[str, str]:
    """The header of a browser that is signed in for so long."""
    token = signins.begin(opened.db, user_id, hours=hours)
    return {"Cookie": f"{COOKIE}={opened.people.sealed(token)}"}


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def everyone(opened: Runtime) -> dict[Role, Someone]:
    """One user of each role; the first one must be an admin."""
    return {role: someone(opened, role) for role in reversed(Role)}
