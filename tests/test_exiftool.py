"""The exiftool process: started, spoken to, found out when it hangs, and ended."""

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tagger.errors import ExiftoolUnavailable
from tagger.pipeline.metadata import Exiftool
from tagger.pipeline.metadata.exiftool import Died, NoReply, TimedOut, entities
from tagger.sections import Metadata

SETTINGS = Metadata(timeout_s=50)


@pytest.fixture
def exiftool() -> Iterator[Exiftool]:
    with Exiftool(SETTINGS) as running:
        yield running


def script(path: Path, *lines: str) -> str:
    """An executable shell script; its name."""
    path.write_text("\n".join(["#!/bin/sh", *lines]) + "\n")
    path.chmod(0o755)
    return str(path)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended but not been fetched does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_for_end(pid: int) -> None:
    while is_alive(pid):
        time.sleep(0.02)


def test_it_tells_its_version_and_keeps_one_process(exiftool: Exiftool) -> None:
    first = exiftool.pid

    assert exiftool.version().replace(".", "").isdigit()
    assert exiftool.pid == first


def test_a_missing_exiftool_is_told_with_what_to_install() -> None:
    with pytest.raises(ExiftoolUnavailable) as raised:
        Exiftool(Metadata(exiftool="no-such-exiftool")).start()

    assert "sudo apt install libimage-exiftool-perl" in str(raised.value)
    assert "brew install exiftool" in str(raised.value)


def test_a_program_that_is_no_exiftool_is_refused(tmp_path: Path) -> None:
    impostor = script(tmp_path / "impostor", "exec cat")

    with pytest.raises(ExiftoolUnavailable, match="does not run as exiftool"):
        Exiftool(Metadata(exiftool=impostor, timeout_s=1)).start()


def test_an_exiftool_that_never_answers_is_given_up(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    hung = script(tmp_path / "hung", f"echo $$ > {pid_file}", "exec sleep 600")

    with pytest.raises(ExiftoolUnavailable, match="did not answer within 1 s"):
        Exiftool(Metadata(exiftool=hung, timeout_s=1)).start()

    assert not is_alive(int(pid_file.read_text()))


def test_a_hang_ends_with_the_time_out_and_the_next_call_works(
    exiftool: Exiftool,
) -> None:
    pid = exiftool.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)

    with pytest.raises(TimedOut, match="within 1 s"):
        exiftool.execute([b"-ver"], timeout_s=1)

    assert not is_alive(pid)
    assert exiftool.version()


def test_a_hang_while_a_long_command_is_sent_ends_too(exiftool: Exiftool) -> None:
    assert exiftool.pid is not None
    os.kill(exiftool.pid, signal.SIGSTOP)

    with pytest.raises(TimedOut):
        exiftool.execute([b"-XMP-dc:Title=" + b"x" * 1_000_000], timeout_s=1)


def test_a_process_killed_between_calls_is_replaced(exiftool: Exiftool) -> None:
    pid = exiftool.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_for_end(pid)

    assert exiftool.version()
    assert exiftool.pid != pid


def test_a_process_killed_during_a_call_is_noticed_at_once(exiftool: Exiftool) -> None:
    pid = exiftool.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    killer = threading.Timer(0.2, os.kill, (pid, signal.SIGKILL))
    killer.start()

    with pytest.raises(Died):
        exiftool.execute([b"-ver"])

    killer.join()
    assert exiftool.version()


def test_a_reply_nobody_asked_for_ends_the_process(exiftool: Exiftool) -> None:
    process = exiftool._process
    assert process is not None
    pid = process.pid
    os.write(process._process.stdin.fileno(), b"-ver\n-execute\n")
    select.select([process._process.stdout], [], [])

    with pytest.raises(NoReply, match="nobody had asked"):
        exiftool.execute([b"-ver"])

    assert not is_alive(pid)
    assert exiftool.version()


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\0"])
def test_an_argument_that_is_not_one_line_is_never_sent(
    exiftool: Exiftool, end: bytes
) -> None:
    with pytest.raises(ValueError, match="not one argument"):
        exiftool.execute([b"-XMP-dc:Title=a" + end + b"-execute"])


@pytest.mark.parametrize("argument", [b"", b"#comment", b" -ver", b"relative.jpg"])
def test_an_argument_exiftool_would_skip_is_never_sent(
    exiftool: Exiftool, argument: bytes
) -> None:
    with pytest.raises(ValueError, match="not one argument"):
        exiftool.execute([argument])


def test_long_answers_and_long_complaints_do_not_block(
    exiftool: Exiftool, tmp_path: Path
) -> None:
    missing = [os.fsencode(tmp_path / f"{number}.jpg") for number in range(3_000)]

    reply = exiftool.execute(missing)

    assert reply.status == 1
    assert reply.messages.count("File not found") == 3_000


def test_entities_leave_nothing_to_interpret() -> None:
    assert entities("a b") == b"a b"
    assert entities(" é😀 ") == "&#32;é😀&#32;".encode()
    assert entities("&=\n\r<@$") == b"&#38;&#61;&#10;&#13;&#60;&#64;&#36;"


def test_closing_ends_the_process(tmp_path: Path) -> None:
    exiftool = Exiftool(SETTINGS)
    exiftool.start()
    pid = exiftool.pid
    assert pid is not None

    exiftool.close()
    exiftool.close()

    assert not is_alive(pid)


def test_it_does_not_outlive_a_killed_tagger() -> None:
    program = (
        "import time\n"
        "from tagger.sections import Metadata\n"
        "from tagger.pipeline.metadata import Exiftool\n"
        "exiftool = Exiftool(Metadata())\n"
        "exiftool.start()\n"
        "print(exiftool.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
    ) as tagger:
        assert tagger.stdout is not None
        pid = int(tagger.stdout.readline())
        assert is_alive(pid)
        tagger.kill()

    wait_for_end(pid)


def test_ctrl_c_in_a_terminal_does_not_reach_it(exiftool: Exiftool) -> None:
    assert exiftool.pid is not None
    assert os.getpgid(exiftool.pid) != os.getpgid(0)


def test_threads_take_turns(exiftool: Exiftool) -> None:
    answers: list[bytes] = []

    def ask(number: int) -> None:
        for _ in range(5):
            echo = b"/%d" % number
            answers.append(exiftool.execute([b"-echo", echo]).output.strip() + echo)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == sorted([b"/%d/%d" % (n, n) for n in range(4)] * 5)
