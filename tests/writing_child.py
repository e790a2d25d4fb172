"""Taggers to be killed while they write: `python -m tests.writing_child FOLDER`.

For each line it is sent it starts a tagger that asks about the folder's photos and
writes the answers, over and over. It says the tagger's process id, `write` each time
that one announces a write, and when it has ended, how. The tagger is forked from a
process that has everything imported, so that its time goes into writing.
"""

import os
import sys

from tagger import config
from tagger.pipeline.tagging import tag
from tagger.tracking.jobs import Job
from tagger.vision.choose import choose


def main(folder: str) -> None:
    settings = config.load()
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            while True:
                tag(
                    settings,
                    [os.fsencode(folder)],
                    choose(settings),
                    retag=True,
                    observer=observe,
                )
        os.write(1, b"%d\n" % pid)
        os.write(1, b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def observe(step: str, _job: Job) -> None:
    if step == "intended":
        os.write(1, b"write\n")


if __name__ == "__main__":
    main(sys.argv[1])
