"""A tagger that kills itself: `python -m tests.kill_child STEP N FOLDER [COMMAND]`.

It dies by SIGKILL when the N-th photo has just come through STEP, as a machine does
whose plug is pulled between two steps. COMMAND is `tag` or `import`.
"""

import itertools
import os
import signal
import sys

from tagger import config
from tagger.pipeline.importing import bring_in
from tagger.pipeline.tagging import tag
from tagger.tracking.jobs import Job
from tagger.vision.choose import choose


def main(step: str, at: int, folder: str, command: str = "tag") -> None:
    count = itertools.count(1)

    def observe(seen: str, _job: Job) -> None:
        if seen == step and next(count) == at:
            os.kill(os.getpid(), signal.SIGKILL)

    settings, paths = config.load(), [os.fsencode(folder)]
    if command == "import":
        bring_in(settings, paths, observer=observe)
    else:
        tag(settings, paths, choose(settings), observer=observe)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
