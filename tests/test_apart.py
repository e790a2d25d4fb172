"""App and tagger apart: as services, or in containers whose process ids differ."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest
from sqlalchemy import update

from tagger import config
from tagger.pipeline.metadata import replacing
from tagger.tracking import presence, runs
from tagger.tracking.database import Database
from tagger.tracking.schema import taggers
from tagger.web.lifespan import Bound
from tests.support_web import ROOT, AppProcess, app_process, settings_file, until

# What the system gives no process.
NO_PID = 1 << 22
# Puts a command where process ids are others, as in a container.
IN_A_CONTAINER = [
    *("unshare", *([] if os.getuid() == 0 else ["-r"])),
    *("--pid", "--fork", "--mount-proc", "--kill-child"),
]
# The app looks for a tagger twice a second, and beside another every two.
LOOKS_S = 4.0


def children(app: AppProcess) -> list[psutil.Process]:
    return psutil.Process(app.process.pid).children()


def state(app: AppProcess) -> str:
    return str(httpx.get(f"{app.url}/api/status", trust_env=False).json()["state"])


@contextmanager
def other_pids(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A command among process ids of its own, until the end of the block."""
    with subprocess.Popen(
        [*IN_A_CONTAINER, *command], cwd=ROOT, stdin=subprocess.DEVNULL
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_an_app_that_is_told_so_starts_no_tagger(tmp_path: Path) -> None:
    apart = {"TAGGER_TAGGER__WITH_APP": "false"}
    with app_process(tmp_path, environment=apart) as app:
        time.sleep(LOOKS_S)
        assert children(app) == []
        assert state(app) == "stopped"


def test_a_tagger_whose_process_id_means_nothing_here_is_stood_back_for(
    tmp_path: Path,
) -> None:
    settings_file(tmp_path)
    data_dir = config.load().data_dir
    with other_pids(sys.executable, "-m", "tagger", "run") as tagger:
        until(lambda: presence.has_tagger(data_dir))
        with app_process(tmp_path) as app:
            until(lambda: state(app) != "stopped")
            time.sleep(LOOKS_S)
            assert children(app) == []
            assert httpx.get(f"{app.url}/api/status").json()["notices"] == []

            tagger.kill()
            tagger.wait()
            until(lambda: len(children(app)) == 1)


def test_one_who_only_looks_does_not_keep_a_tagger_from_starting(
    tmp_path: Path,
) -> None:
    looking = "from pathlib import Path; from tagger.tracking import presence as p\n"
    looking += f"while True: p.has_tagger(Path({str(tmp_path)!r}))"
    with subprocess.Popen([sys.executable, "-c", looking], cwd=ROOT) as looker:
        until((tmp_path / presence.TAGGER).exists)
        for _ in range(20):
            with presence.only_tagger(tmp_path) as is_ours:
                assert is_ours
        looker.kill()


@pytest.mark.sqlite
def test_a_run_of_another_container_is_alive_while_somebody_holds_a_lock(
    db: Database,
) -> None:
    run = runs.begin(db, "tag")
    with db.write() as connection:
        connection.execute(update(taggers).values(pid=NO_PID))
    holding = "import sys; from pathlib import Path; from tagger.tracking import "
    holding += (
        "presence; presence.mark(Path(sys.argv[1])); print(1, flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holding, str(db.path.parent)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert runs.is_alive(db, run)
        other.communicate(b"\n")
    assert not runs.is_alive(db, run)


def test_a_copy_that_another_container_is_making_is_left_alone(tmp_path: Path) -> None:
    removing = "import os, sys; from tagger.pipeline.metadata import replacing; "
    removing += "print(replacing.remove_stale(os.fsencode(sys.argv[1])))"
    command = [sys.executable, "-c", removing, str(tmp_path)]
    with replacing.temporary_beside(
        os.fsencode(tmp_path / "a.jpg"), suffix=b".tmp"
    ) as copy:
        Path(os.fsdecode(copy)).write_bytes(b"x")
        for where in ([], IN_A_CONTAINER):
            done = subprocess.run(
                [*where, *command], cwd=ROOT, capture_output=True, text=True
            )
            assert done.stdout == "[]\n", done.stderr
        assert os.path.exists(copy)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8501"),
        ("0.0.0.0", "http://127.0.0.1:8501"),
        ("::", "http://[::1]:8501"),
        ("::1", "http://[::1]:8501"),
        ("192.0.2.7", "http://192.0.2.7:8501"),
    ],
)
def test_the_command_line_finds_an_app_that_listens_everywhere(
    host: str, url: str
) -> None:
    assert Bound(host, 8501).url == url
