"""Roots: the folders of `library.roots`, below which all photos lie.

Nothing outside them is added, looked through, or served. Links are resolved on both
sides, so that none leads out. Without roots there is no limit, as for somebody alone
on their own machine.
"""

import os
from collections.abc import Sequence

from tagger.errors import UsageError, shown
from tagger.tracking.places import is_within

SETTING = "library.roots"
# Why a folder that is known already is left alone, as a clause for people.
OUTSIDE = (
    f"it lies in none of the folders of {SETTING} (config.toml); name one around it "
    "there, or take the folder out"
)


def real(named: Sequence[str]) -> list[bytes]:
    """The roots as they are on disk, links resolved, each once.

    What is no whole path is none: it would depend on where the program was started.
    """
    paths = [os.path.expanduser(os.fsencode(one.strip())) for one in named]
    whole = (os.path.realpath(one) for one in paths if os.path.isabs(one))
    return list(dict.fromkeys(whole))


def hold(named: Sequence[str], path: bytes) -> bool:
    """Whether what a path leads to lies in one of the roots, if there are any."""
    if not named:
        return True
    if not path.startswith(b"/") or b"\0" in path:
        return False
    found = os.path.realpath(path)
    return any(is_within(found, root) for root in real(named))


def refuse_outside(
    path: bytes, named: Sequence[str], *, required: bool = False
) -> None:
    """Raise `UsageError` for a folder outside the roots.

    `required`: there have to be some, because not only people at this machine ask.
    """
    if required and not named:
        raise UsageError(
            f"no folder can be added from here: first name the folders that photos may "
            f"lie in, in {SETTING} of config.toml"
        )
    if not hold(named, path):
        raise UsageError(
            f"{shown(path)} is in none of the folders of {SETTING}; choose one below "
            "them, or add a folder around it to that setting in config.toml"
        )
