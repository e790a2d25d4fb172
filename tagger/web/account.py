"""Account: what people change about themselves, and may whatever their role is.

Whoever changes a password shows the present one first, so that a browser that was left
signed in is not enough to take somebody's place. That can be tried as seldom as
signing in can.
"""

import threading

from tagger import passwords
from tagger.errors import UsageError
from tagger.tracking import users
from tagger.tracking.database import Database
from tagger.tracking.users import User
from tagger.web.tries import Tries

_tries = Tries()
# A comparison takes 64 MiB.
_comparing = threading.BoundedSemaphore(2)


def who(db: Database, name: str, password: str) -> User | None:
    """The user of that name and password; to find none takes as long."""
    found = users.password_of(db, name)
    with _comparing:
        is_right = passwords.matches(None if found is None else found[1], password)
    return found[0] if found is not None and is_right else None


def new_password(name: str, typed: str, again: str) -> str:
    """What is kept of a password that was typed twice. Raises `UsageError`."""
    if typed != again:
        raise UsageError("these were two different passwords; nothing was changed")
    with _comparing:
        return passwords.hashed(typed, name=name)


def change_password(
    db: Database, name: str, present: str, kept: str, *, but: str | None
) -> None:
    """Give somebody another password who knows the present one.

    Sign-ins end, but for that whose hash is `but`. Raises `UsageError`.
    """
    key = users.key_of(name)
    if wait_s := _tries.begin(f"account of {key}", key):
        minutes = int(wait_s // 60) + 1
        raise UsageError(f"too many wrong passwords: try again in {minutes} min")
    if who(db, name, present) is None:
        raise UsageError("that is not your present password; nothing was changed")
    _tries.forgive(f"account of {key}", key)
    users.set_password(db, name, kept, but=but)
