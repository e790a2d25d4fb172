"""Feeding: a process that puts photos into tracking one by one, at a steady rate.

It says so when it begins, and how many there are when its standard input ends.
"""

import sys
import threading
import time
from pathlib import Path

from scripts.bench_catalogue.library import Library

RATE = 20


def main(folder: Path) -> None:
    library, over = Library(folder), threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set())).start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    due = time.monotonic()
    while not over.wait(max(0.0, due - time.monotonic())):
        library.add(1)
        due += 1 / RATE
    sys.stdout.write(f"{library.count}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
