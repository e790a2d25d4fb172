"""A tagger that suspends itself: `python -m tests.late_child STEP N LEASE_S GO FOLDER`.

It stops when the N-th photo has just come through STEP, as a laptop does whose lid is
closed, and goes on when it is continued and the file GO is there; until then it stops
again. With STEP `-` it stops nowhere.
"""

import itertools
import os
import signal
import sys
import threading
import time
from pathlib import Path

from tagger import config
from tagger.pipeline.tagging import tag
from tagger.tracking.jobs import Job
from tagger.vision.choose import choose


def main(step: str, at: int, lease_s: float, go: Path, folder: str) -> int:
    count = itertools.count(1)
    stopped = threading.Event()

    def observe(seen: str, _job: Job) -> None:
        if seen == step and next(count) == at and not stopped.is_set():
            stopped.set()
            while not go.exists():
                os.kill(os.getpid(), signal.SIGSTOP)
                time.sleep(0.05)

    settings = config.load()
    outcome = tag(
        settings,
        [os.fsencode(folder)],
        choose(settings),
        observer=observe,
        lease_s=lease_s,
    )
    return len(outcome.failed)


if __name__ == "__main__":
    step, at, lease_s, go, folder = sys.argv[1:]
    sys.exit(main(step, int(at), float(lease_s), Path(go), folder))
