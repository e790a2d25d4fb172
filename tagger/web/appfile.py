"""`data/app.json`: how the command line finds the running app, and proves who it is.

It holds the app's address, its process id and a secret made anew at each start, and
only its owner may read it (mode 0600). The secret itself never travels to an address
that has not shown it knows it: `proof` answers a nonce instead.
"""

import hashlib
import hmac
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

NAME = "app.json"


@dataclass(frozen=True, slots=True)
class AppFile:
    """Where a running app answers."""

    url: str
    pid: int
    secret: str


def new_secret() -> str:
    """A secret for one life of the app."""
    return secrets.token_urlsafe(32)


def proof(secret: str, nonce: str) -> str:
    """What only a holder of the secret can answer to this nonce."""
    return hmac.new(secret.encode(), nonce.encode(), hashlib.sha256).hexdigest()


def write(data_dir: Path, app: AppFile) -> None:
    """Put the file there, whole or not at all, readable by its owner alone."""
    temporary = data_dir / f".{NAME}.{app.pid}"
    temporary.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with open(os.open(temporary, flags, 0o600), "w", encoding="utf-8") as file:
        json.dump(asdict(app), file)
    temporary.replace(data_dir / NAME)


def read(data_dir: Path) -> AppFile | None:
    """The app that left its address here, or None; it may be dead by now."""
    try:
        return AppFile(**json.loads((data_dir / NAME).read_text("utf-8")))
    except (FileNotFoundError, NotADirectoryError, TypeError, ValueError):
        return None


def remove(data_dir: Path, app: AppFile) -> None:
    """Take the file away, unless another app has put its own there since."""
    if read(data_dir) == app:
        (data_dir / NAME).unlink(missing_ok=True)
