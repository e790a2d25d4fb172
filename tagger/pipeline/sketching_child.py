"""Says what pictures are like, in a process of the lowest priority: for `sketching`.

It reads the path of a thumbnail from a line, in hex, and answers with a line: the
vector in hex, or nothing for a thumbnail that cannot be read. It ends when nobody is
there any more.
"""

import resource
import sys

from tagger import priority
from tagger.imaging.faults import DECODER_FAULTS
from tagger.imaging.picture import Picture
from tagger.vision.builtin.likeness import Looker

LOWEST_PRIORITY = 19


def main() -> None:
    """Answer line by line until the other side hangs up."""
    priority.give_way(LOWEST_PRIORITY)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    looker = Looker()
    for line in sys.stdin:
        sys.stdout.write(f"{_vector(looker, bytes.fromhex(line)).hex()}\n")
        sys.stdout.flush()


def _vector(looker: Looker, path: bytes) -> bytes:
    try:
        with open(path, "rb") as file:
            pixels = Picture(None, jpeg=file.read()).pixels
    except DECODER_FAULTS:
        return b""
    return looker.vector(pixels)


if __name__ == "__main__":
    main()
