"""What many threads let go of goes back to the system."""

import subprocess
import sys

# Each thread keeps a little between the blocks of some size that it lets go of, as
# requests do.
HOLDS = """
import sys, threading, time
import psutil
from tagger.web import memory
returning = memory.Returning(every_s=0.1)
if "return" in sys.argv:
    returning.start()
kept = []
def work():
    for _ in range(3):
        let_go = []
        for _ in range((40 << 20) // size):
            let_go.append(bytearray(b"x") * size)
            kept.append(bytearray(b"x") * 700)
        del let_go
size = int(sys.argv[1])
threads = [threading.Thread(target=work) for _ in range(6)]
def mib(): return psutil.Process().memory_info().rss >> 20
before = mib()
for one in threads: one.start()
for one in threads: one.join()
deadline = time.monotonic() + 20
while mib() - before > 60 and time.monotonic() < deadline and "return" in sys.argv:
    time.sleep(0.1)
print(mib() - before)
returning.stop()
"""
LARGE, MIDDLING = 2 << 20, 64 << 10


def held_mib(size: int, *words: str) -> int:
    """What a process holds after its threads let go of 40 MiB each, thrice."""
    return int(ran(HOLDS, str(size), *words))


def ran(code: str, *words: str) -> str:
    """What a Python of its own prints."""
    command = [sys.executable, "-c", code, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_memory_that_requests_let_go_of_goes_back() -> None:
    for size in (LARGE, MIDDLING):
        # Without it, this would claim nothing.
        assert held_mib(size) > 100
        # What is kept holds on to the pages around it.
        assert held_mib(size, "return") <= 60


def test_tables_on_the_way_are_in_the_same_memory_as_all_else() -> None:
    asked = "import app, pyarrow; print(pyarrow.default_memory_pool().backend_name)"
    assert ran(asked) == "system"
