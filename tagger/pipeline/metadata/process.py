"""The exiftool process itself: PyExifTool's, spoken to with deadlines.

PyExifTool finds the program, starts it so that it dies with us, and checks that it is
exiftool. Its exchange of words is replaced: there, a reply that never comes is waited
for without end, a process that died is read for ever, and a long error output blocks
both sides.
"""

import logging
import os
import re
import secrets
import selectors
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import exiftool
from exiftool.exceptions import ExifToolException

from tagger.errors import ExiftoolUnavailable

log = logging.getLogger(__name__)

CONFIG_FILE = Path(__file__).with_name("exiftool.config")
STOP_S = 2.0
PIPE_BYTES = 1 << 16
HOW_TO_INSTALL = (
    "install it with `sudo apt install libimage-exiftool-perl` (Debian, Ubuntu) or "
    "`brew install exiftool` (Mac), or name it in the setting metadata.exiftool"
)


class NoReply(ExiftoolUnavailable):
    """One exchange with exiftool failed; the next call starts a fresh process."""


class Died(NoReply):
    """exiftool ended in the middle of an exchange: it was killed, or crashed."""


class TimedOut(NoReply):
    """exiftool did not answer in time and was killed."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What exiftool answered: its exit status and both of its outputs."""

    status: int
    output: bytes
    messages: str


class Process(exiftool.ExifTool):  # type: ignore[misc]  # PyExifTool has no types
    """A running exiftool; `stop` it when done, also after a failed exchange."""

    def __init__(self, executable: str, *, timeout_s: float) -> None:
        """Start exiftool; raises `ExiftoolUnavailable` saying how to install it."""
        self._timeout_s = timeout_s
        try:
            super().__init__(
                executable, common_args=[], config_file=CONFIG_FILE, encoding="utf-8"
            )
            self.run()
        except FileNotFoundError:
            raise ExiftoolUnavailable(
                f"exiftool is not installed ({executable!r} was not found): "
                + HOW_TO_INSTALL
            ) from None
        except (OSError, RuntimeError, ExifToolException, NoReply) as error:
            self.kill()
            raise ExiftoolUnavailable(
                f"{executable!r} does not run as exiftool ({error}): {HOW_TO_INSTALL}"
            ) from error

    @property
    def alive(self) -> bool:
        """Whether the process still runs; unlike PyExifTool's `running`, it is mute."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        return int(self._process.pid)

    def execute(self, *params: str | bytes, **_: Any) -> str:
        """How PyExifTool asks for the version, right after the start."""
        args = [os.fsencode(param) for param in params]
        version = self.exchange(args, self._timeout_s).output.decode("ascii", "replace")
        if not re.fullmatch(r"\d+\.\d+\s*", version):
            raise RuntimeError("it does not tell its version")
        return version

    def exchange(self, args: Sequence[bytes], timeout_s: float) -> Reply:
        """Send one command and read the whole reply to it.

        Raises `TimedOut`, `Died`, or `NoReply` if exiftool speaks out of turn; the
        process is of no use any more then.
        """
        number = str(100_000_000 + secrets.randbelow(900_000_000))
        status = f"=${{status}}={number}".encode()
        command = [*args, b"-echo4", status, f"-execute{number}\n".encode()]
        try:
            return self._converse(b"\n".join(command), number, timeout_s)
        except TimeoutError:
            raise TimedOut(f"exiftool did not answer within {timeout_s:g} s") from None
        except OSError:
            raise Died("exiftool ended in the middle of a command") from None

    def stop(self) -> None:
        """Ask the process to end, and see to it that it does."""
        if self.alive:
            try:
                os.write(self._process.stdin.fileno(), b"-stay_open\nFalse\n")
                self._process.wait(STOP_S)
            except (OSError, subprocess.TimeoutExpired):
                log.debug("exiftool does not end by itself; killing it")
        self.kill()

    def kill(self) -> None:
        """End the process at once, and leave nothing of it behind."""
        process = self._process
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout, process.stderr):
                pipe.close()
            self._flag_running_false()

    def _converse(self, command: bytes, number: str, timeout_s: float) -> Reply:
        """Write and read at once, so that neither side can block the other."""
        ready = f"{{ready{number}}}\n".encode()
        status = re.compile(rf"=(\d+)={number}\n\Z".encode())
        output, messages = bytearray(), bytearray()
        for is_output, part in self._parts(command, timeout_s):
            (output if is_output else messages).extend(part)
            found = status.search(messages[-40:])
            if found and output.endswith(ready):
                said = messages[: -len(found[0])].decode("utf-8", "replace").strip()
                return Reply(int(found[1]), bytes(output[: -len(ready)]), said)
        raise AssertionError("the parts end only with the process")

    def _parts(self, command: bytes, timeout_s: float) -> Iterator[tuple[bool, bytes]]:
        """What comes back while the command goes out: (from the output?, bytes)."""
        stdin, stdout = self._process.stdin.fileno(), self._process.stdout.fileno()
        stderr = self._process.stderr.fileno()
        os.set_blocking(stdin, False)
        deadline = time.monotonic() + timeout_s
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            selector.register(stderr, selectors.EVENT_READ)
            if self.alive and selector.select(0):
                raise NoReply("exiftool said something nobody had asked for")
            selector.register(stdin, selectors.EVENT_WRITE)
            while events := selector.select(max(0.0, deadline - time.monotonic())):
                for key, _ in events:
                    if key.fd != stdin:
                        yield key.fd == stdout, _received(key.fd)
                    elif command:
                        command = command[os.write(stdin, command[:PIPE_BYTES]) :]
                    else:
                        selector.unregister(stdin)
        raise TimeoutError


def _received(fd: int) -> bytes:
    part = os.read(fd, PIPE_BYTES)
    if not part:
        raise ConnectionResetError("end of file")
    return part
