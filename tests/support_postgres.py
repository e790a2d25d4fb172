"""A real PostgreSQL of one's own: Debian's, in a folder that goes again.

    with Postgres() as server:
        ... connect to server.dsn ...

It refuses to run as root, so root starts it as the user that Debian makes for it.
"""

import itertools
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Any

NAME = "photos"


class Postgres:
    """One server on a loopback port, with one empty database."""

    def __enter__(self) -> "Postgres":
        self._bin = max(Path("/usr/lib/postgresql").glob("*/bin"))
        # Not below pytest's own folder, which nobody but its user may enter.
        self._home = Path(tempfile.mkdtemp(prefix="postgres-"))
        self._numbers = itertools.count()
        self._as: dict[str, Any] = {}
        self.user = "postgres"
        if os.geteuid() == 0:
            self._as = {"user": "postgres", "group": "postgres", "extra_groups": []}
            shutil.chown(self._home, "postgres", "postgres")
        self.port = _free_port()
        data = str(self._home / "data")
        self._do("initdb", "-D", data, "-U", self.user, "-A", "trust", "--no-sync")
        options = (
            f"-p {self.port} -k {self._home} -c listen_addresses=127.0.0.1 -c fsync=off"
        )
        log = str(self._home / "log")
        self._do("pg_ctl", "-D", data, "-l", log, "-w", "-o", options, "start")
        self._do("createdb", "-h", "127.0.0.1", "-p", str(self.port), NAME)
        return self

    def __exit__(self, *_: object) -> None:
        self._do("pg_ctl", "-D", str(self._home / "data"), "-m", "immediate", "stop")
        shutil.rmtree(self._home)

    def fresh(self) -> str:
        """The address of a new database."""
        name = f"own_{next(self._numbers)}"
        self._do("createdb", "-h", "127.0.0.1", "-p", str(self.port), name)
        return f"postgresql://{self.user}@127.0.0.1:{self.port}/{name}"

    @property
    def dsn(self) -> str:
        """What libpq connects by."""
        return f"dbname={NAME} host=127.0.0.1 port={self.port} user={self.user}"

    def _do(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._bin / program, *arguments],
            cwd=self._home,
            env={"PATH": os.environ["PATH"], "PGUSER": self.user, "LC_ALL": "C.UTF-8"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
            **self._as,
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
