"""What many threads let go of goes back to the system."""

import subprocess
import sys

# Each thread keeps a little between the large blocks it lets go of, as requests do.
HOLDS = """
import sys, threading
import psutil
if "give back" in sys.argv:
    from tagger.web import memory
    assert memory.give_back()
kept = []
def work():
    for _ in range(3):
        large = []
        for _ in range(20):
            large.append(bytearray(b"x") * (2 << 20))
            kept.append(bytearray(b"x") * 700)
        del large
threads = [threading.Thread(target=work) for _ in range(6)]
mib = lambda: psutil.Process().memory_info().rss >> 20
before = mib()
for one in threads: one.start()
for one in threads: one.join()
print(mib() - before)
"""


def held_mib(*words: str) -> int:
    """What a process holds after its threads let go of 40 MiB each, thrice."""
    return int(ran(HOLDS, *words))


def ran(code: str, *words: str) -> str:
    """What a Python of its own prints."""
    command = [sys.executable, "-c", code, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_memory_that_requests_let_go_of_goes_back() -> None:
    # Without it, this would claim nothing.
    assert held_mib() > 60
    assert held_mib("give back") < 20


def test_tables_on_the_way_are_in_the_same_memory_as_all_else() -> None:
    asked = "import app, pyarrow; print(pyarrow.default_memory_pool().backend_name)"
    assert ran(asked) == "system"
