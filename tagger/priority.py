"""Priority: what nobody waits for leaves the processor to what somebody does."""

import contextlib
import os
from pathlib import Path


def give_way(nice: int = 0) -> None:
    """Let this process have the processor after others: `nice` more than its parent.

    Linux may weigh sessions against each other before processes (sched_autogroup), and
    a new session begins with the weight of all others, whatever its processes are. So
    whoever leads a session tells it, too; in somebody else's, it is theirs.
    """
    value = os.nice(nice)
    if os.getsid(0) == os.getpid():
        with contextlib.suppress(OSError):  # a system that weighs none
            Path("/proc/self/autogroup").write_text(f"{value}", "ascii")
