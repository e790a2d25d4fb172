"""Passwords: kept as argon2id hashes, which hold their own parameters.

The parameters are the library's, which are RFC 9106's for machines with little memory
(64 MiB, three passes): some 50 ms of a core, and nothing that many tries at once could
fill the memory with, as long as few are compared at a time.
"""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from tagger.errors import UsageError

# NIST SP 800-63B asks for 8 at least, and for length rather than kinds of characters.
SHORTEST, LONGEST = 10, 1024

_hasher = PasswordHasher()


def hashed(password: str, *, name: str) -> str:
    """What is kept of a password; raises `UsageError` for one that is none."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise UsageError(f"a password has {SHORTEST} characters at least")
    if password.casefold() == name.casefold():
        raise UsageError("a password must not be the name itself")
    return _hasher.hash(password)


def matches(kept: str | None, password: str) -> bool:
    """Whether it is this password; takes as long where there is none to compare with.

    So nobody learns from the time it takes which names there are.
    """
    try:
        return (
            _hasher.verify(kept or _of_nobody(), password[:LONGEST])
            and kept is not None
        )
    except (Argon2Error, InvalidHashError):
        return False


@cache
def _of_nobody() -> str:
    return _hasher.hash("nobody has this password")
