"""Whether a process lives, told by its id."""

import os


def is_alive(pid: int) -> bool:
    """Whether a process of this id runs, whoever owns it."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
