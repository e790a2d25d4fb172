"""The whole app as a process: start, stop, sudden death, and who finds it."""

import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import psutil
import pytest

from tagger import config
from tagger.errors import DataError, QueryError, SqlError, UsageError
from tagger.records import WriteMode
from tagger.tracking import folders
from tagger.tracking.database import Database
from tagger.web import appfile, runtime, serve
from tagger.web.client import App
from tagger.web.intaker import Intaker
from tagger.web.lifespan import Bound, ignored_address
from tagger.web.notices import Notices
from tagger.web.processes import is_alive
from tagger.web.promptness import send_at_once
from tagger.web.runtime import Runtime
from tagger.web.supervisor import Supervisor
from tests.support_web import (
    ROOT,
    AppProcess,
    app_process,
    handshake,
    library,
    served,
    settings_file,
    until,
)


def children(app: AppProcess) -> list[psutil.Process]:
    return psutil.Process(app.process.pid).children()


def ended(child: psutil.Process) -> bool:
    return not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


# One app, from start to stop


def test_the_app_serves_screens_api_and_websocket_and_leaves_its_address(
    tmp_path: Path,
) -> None:
    with app_process(tmp_path) as app:
        left = app.data_dir / appfile.NAME

        page = httpx.get(app.url)
        assert page.headers["content-type"].startswith("text/html")
        assert "frame-ancestors 'self'" in page.headers["content-security-policy"]
        assert httpx.get(f"{app.url}/api/nope").status_code == 404
        assert httpx.get(f"{app.url}/api/nope").json()["status"] == 404
        assert httpx.get(app.url, headers={"Host": "evil.example"}).status_code == 403
        assert handshake(app.url) == 101
        assert handshake(app.url, Origin=app.url) == 101
        assert handshake(app.url, Origin="https://evil.example") == 403
        assert handshake(app.url, Host="evil.example") == 403
        assert stat.S_IMODE(left.stat().st_mode) == 0o600

        known = appfile.read(app.data_dir)
        assert known is not None
        assert (known.url, known.pid) == (app.url, app.process.pid)
        until(lambda: bool(children(app)))
        (tagger,) = children(app)

        assert app.stop() == -signal.SIGTERM
        assert not left.exists()
        assert ended(tagger)
        assert App.find(app.data_dir) is None


def test_the_command_line_asks_the_running_app(tmp_path: Path) -> None:
    data_dir = config.load().data_dir
    with library(tmp_path) as photos:
        photos.photo("dog.jpg", "dog", description="A dog.")
    out, table = tmp_path / "table.csv", tmp_path / "asked"

    with app_process(tmp_path), Database.open(data_dir / "tracking.db"):
        found = App.find(data_dir)
        assert found is not None
        with found as app:
            (dog,) = app.search("dog").photos
            app.export(out, format="csv", query="dog")
            told: list[tuple[int, int]] = []
            app.rebuild(lambda done, total: told.append((done, total)))

            assert (dog.description, dog.tags) == ("A dog.", ("dog",))
            assert "dog.jpg" in out.read_text()
            assert (1, 1) in told
            with pytest.raises(QueryError, match="not closed") as raised:
                app.search('dog "open')
            assert raised.value.pointer == 'dog "open\n    ^'
            assert app.search("dgo").query == "dog"
            (counted,) = app.facets("dog", by=["tags"], limit=5)
            assert counted["rows"] == [["dog", 1]]
            asked = "SELECT tag FROM photo_tags"
            assert app.sql(asked)["rows"] == [["dog"]]
            with table.open("wb") as file:
                assert not app.sql_file(asked, file, format="csv")
            assert table.read_text() == "tag\ndog\n"
            with pytest.raises(SqlError, match="not found") as refused:
                app.sql("SELECT x FROM photos")
            assert refused.value.pointer.startswith("LINE 1: SELECT x")
            with pytest.raises(UsageError):
                app.export(tmp_path / "x.csv", format="csv", query='"open')
    assert [path.name for path in tmp_path.glob("*.csv")] == ["table.csv"]


def test_serve_becomes_the_app_on_host_and_port(tmp_path: Path) -> None:
    become = "from tagger import config; from tagger.web import serve; "
    become += "serve.serve(config.load())"
    command = (sys.executable, "-c", become)
    environment = {"HOST": "127.0.0.1", "PORT": "FREE"}

    with app_process(tmp_path, command=command, environment=environment) as app:
        assert httpx.get(f"{app.url}/api/status").json()["notices"] == []
        assert appfile.read(app.data_dir) is not None
        assert app.stop() == -signal.SIGTERM


def test_port_of_the_environment_is_said_to_be_ignored(tmp_path: Path) -> None:
    with app_process(tmp_path, environment={"PORT": "9999"}) as app:
        (notice,) = httpx.get(f"{app.url}/api/status").json()["notices"]

        assert "PORT=9999 is ignored" in notice
        assert notice in app.said()


def test_the_tagger_ends_when_the_app_is_killed(tmp_path: Path) -> None:
    with app_process(tmp_path) as app:
        until(lambda: bool(children(app)))
        (tagger,) = children(app)
        until(lambda: httpx.get(f"{app.url}/api/status").json()["state"] != "stopped")

        app.process.send_signal(signal.SIGKILL)
        app.process.wait()

        until(lambda: ended(tagger))
        # What it left behind is recognised as a dead app's.
        assert appfile.read(app.data_dir) is not None
        assert App.find(app.data_dir) is None


# Starts that are refused


def test_a_bad_setting_ends_the_start_with_one_line_and_code_2(tmp_path: Path) -> None:
    settings_file(tmp_path, "[app]\nprot = 1\n")

    with app_process(tmp_path) as app:
        assert app.process.wait(30) == 2
        (line,) = [line for line in app.said().splitlines() if "app.prot" in line]
        assert "Traceback" not in app.said()
        assert "there is no setting called app.prot" in line


def test_a_server_that_would_believe_anybody_does_not_start(tmp_path: Path) -> None:
    everybody = {"FORWARDED_ALLOW_IPS": "*"}
    with app_process(tmp_path, environment=everybody) as app:
        assert app.process.wait(30) != 0
        assert "FORWARDED_ALLOW_IPS=* has the server below" in app.said()
        assert "auth.trusted_proxies" in app.said()
        assert "Traceback" not in app.said()


def test_an_address_beyond_this_machine_is_refused_in_one_line(tmp_path: Path) -> None:
    with app_process(tmp_path, "--server.address=0.0.0.0") as app:
        assert app.process.wait(30) != 0
        assert "python -m tagger users add NAME --role admin" in app.said()
        assert "Traceback" not in app.said()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.0.0.2"])
def test_serve_takes_every_loopback_address(host: str) -> None:
    command = serve.command(config.check({"app": {"host": host, "port": 9000}}))

    assert f"--server.address={host}" in command
    assert "--server.port=9000" in command


HOLD = """
import sys
from tagger import config
from tagger.web.runtime import Runtime
opened = Runtime.open(config.load())
sys.stdout.write("held\\n")
sys.stdout.flush()
sys.stdin.read()
opened.close()
"""


def test_a_second_app_on_a_data_folder_waits_then_names_the_holder() -> None:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", HOLD], cwd=ROOT, **pipes) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == b"held\n"

        with pytest.raises(DataError, match=str(holder.pid)):
            Runtime.open(config.load(), wait_s=0.5)

        threading.Timer(0.5, holder.stdin.close).start()
        Runtime.open(config.load(), wait_s=20.0).close()


def test_a_data_folder_that_cannot_be_used_is_told_in_one_line(tmp_path: Path) -> None:
    data_dir = config.load().data_dir
    data_dir.mkdir(parents=True)
    (data_dir / "tracking.db").write_bytes(b"no database at all " * 100)

    with app_process(tmp_path) as app:
        assert app.process.wait(30) != 0
        assert "tracking.db is damaged" in app.said()
        assert "Traceback" not in app.said()
        assert not (data_dir / appfile.NAME).exists()


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({}, None),
        ({"HOST": "127.0.0.1", "PORT": "8501"}, None),
        ({"PORT": "9000"}, "PORT=9000"),
        ({"HOST": "0.0.0.0", "PORT": "9000"}, "HOST=0.0.0.0 and PORT=9000"),
    ],
)
def test_only_an_address_that_is_not_used_is_named(
    environ: dict[str, str], named: str | None
) -> None:
    said = ignored_address(environ, Bound("127.0.0.1", 8501))

    assert (said is None) if named is None else (named in (said or ""))


def test_answers_do_not_wait_for_an_acknowledgement() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

        assert send_at_once(port) == 1

        with (
            socket.create_connection(("127.0.0.1", port)),
            listening.accept()[0] as in_,
        ):
            assert in_.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


# The file that leads to the app


def test_a_stale_address_leads_nowhere(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    appfile.write(tmp_path, appfile.AppFile("http://127.0.0.1:1", dead.pid, "s"))
    assert App.find(tmp_path) is None

    appfile.write(tmp_path, appfile.AppFile("http://127.0.0.1:1", os.getpid(), "s"))
    assert App.find(tmp_path) is None

    (tmp_path / appfile.NAME).write_text('["torn')
    assert App.find(tmp_path) is None


def test_an_app_that_does_not_know_the_secret_is_not_believed(tmp_path: Path) -> None:
    with library(tmp_path), served() as client:
        url = str(client.base_url).rstrip("/")
        appfile.write(tmp_path, appfile.AppFile(url, os.getpid(), "another secret"))

        assert App.find(tmp_path) is None


def test_the_file_of_a_later_app_is_left_alone(tmp_path: Path) -> None:
    earlier = appfile.AppFile("http://127.0.0.1:1", 1, "a")
    later = appfile.AppFile("http://127.0.0.1:2", 2, "b")
    appfile.write(tmp_path, earlier)
    appfile.write(tmp_path, later)

    appfile.remove(tmp_path, earlier)

    assert appfile.read(tmp_path) == later


# Supervisor and intake


WAITS = (sys.executable, "-c", "import sys; sys.stdin.read()")
DEAF = (
    sys.executable,
    "-c",
    "import signal, threading; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "threading.Event().wait()",
)


def supervisor(notices: Notices, *command: str, other: bool = False) -> Supervisor:
    return Supervisor(notices, other_alive=lambda: other, command=command, grace_s=0.5)


@pytest.mark.parametrize("command", [WAITS, DEAF])
def test_a_tagger_ends_with_the_supervisor_even_a_deaf_one(
    command: tuple[str, ...],
) -> None:
    watching = supervisor(Notices(), *command)
    watching.start()
    until(lambda: watching.child_pid is not None)
    pid = watching.child_pid
    assert pid is not None

    watching.stop()

    assert not is_alive(pid)


def test_a_tagger_that_dies_is_started_again_and_screens_say_so() -> None:
    notices = Notices()
    watching = supervisor(notices, *WAITS)
    watching.start()
    until(lambda: watching.child_pid is not None)
    first = watching.child_pid
    assert first is not None

    os.kill(first, signal.SIGKILL)
    until(lambda: watching.child_pid not in (None, first))

    assert "signal 9" in next(iter(notices))
    watching.stop()


def test_a_restart_puts_a_new_tagger_in_the_place_of_the_old() -> None:
    watching = supervisor(Notices(), *WAITS)
    watching.start()
    until(lambda: watching.child_pid is not None)
    first = watching.child_pid
    assert first is not None

    watching.restart()
    until(lambda: watching.child_pid not in (None, first))

    assert not is_alive(first)
    watching.stop()


def test_no_tagger_is_started_beside_another() -> None:
    asked = threading.Event()

    def other_alive() -> bool:
        asked.set()
        return True

    watching = Supervisor(Notices(), other_alive=other_alive, command=WAITS)
    watching.start()
    assert asked.wait(10)

    watching.stop()

    assert watching.child_pid is None


def test_intake_goes_on_by_itself_and_says_what_is_wrong(tmp_path: Path) -> None:
    with library(tmp_path) as photos:
        opened = photos.opened
        intaker = Intaker(opened)
        intaker.start()
        until(lambda: _folder_count(opened) == 1)

        opened.catalogue.close()
        another = tmp_path / "another"
        another.mkdir()
        folders.add(
            opened.db,
            os.fsencode(another),
            recursive=True,
            write_mode=WriteMode.NONE,
            data_dir=opened.config.data_dir,
        )
        until(lambda: len(opened.notices) == 1)
        intaker.stop()

        assert "cannot be shown" in next(iter(opened.notices))


def _folder_count(opened: Runtime) -> int:
    with opened.catalogue.cursor() as cursor:
        return int(cursor.execute("SELECT count(*) FROM folders").fetchall()[0][0])


def test_without_a_lifespan_a_runtime_is_made_for_the_data_folder_in_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = runtime.current()
    assert runtime.current() is first

    monkeypatch.setenv("TAGGER_DATA_DIR", str(tmp_path / "elsewhere"))
    second = runtime.current()

    assert second.config.data_dir == tmp_path / "elsewhere"
    assert second.supervisor is None
    runtime.use(None)
