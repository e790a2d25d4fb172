"""An undo that kills itself: `python -m tests.undo_child STEP N WHAT VALUE [CHANGED]`.

It dies by SIGKILL when STEP came about for the N-th time. WHAT is `place`, `run` or
`tag`; what that is, is VALUE.
"""

import itertools
import os
import signal
import sys

from tagger import config
from tagger.pipeline.undo import undo
from tagger.records import Changed
from tagger.tracking.history import Which


def main(step: str, at: int, which: Which, changed: Changed) -> None:
    count = itertools.count(1)

    def observe(seen: str) -> None:
        if seen == step and next(count) == at:
            os.kill(os.getpid(), signal.SIGKILL)

    undo(config.load(), which, changed=changed, observer=observe)


def chosen(what: str, value: str) -> Which:
    if what == "place":
        return Which(place=os.fsencode(value))
    return Which(run_id=int(value)) if what == "run" else Which(tag=value)


if __name__ == "__main__":
    way = Changed(sys.argv[5]) if len(sys.argv) > 5 else Changed.REFUSE
    main(sys.argv[1], int(sys.argv[2]), chosen(sys.argv[3], sys.argv[4]), way)
