"""The `serve` and `run` commands."""

import errno
import socket
import threading
from argparse import Namespace

from tagger import priority
from tagger.config import Config
from tagger.errors import UsageError
from tagger.pipeline import run as tagger_run
from tagger.tracking import users
from tagger.tracking.database import Database
from tagger.web import serve as web_serve
from tagger.web.client import App

# The nice value of the tagger: it gets a tenth of a processor that others want as well.
PRIORITY = 10


def serve(options: Namespace, config: Config) -> int:
    """Become the app on HOST and PORT; says at once why it cannot."""
    with Database.of(config) as db:
        has_admin = users.has_admin(db)
    web_serve.refuse_strangers(config, config.app.host, has_admin=has_admin)
    _refuse_second(config)
    _refuse_taken(config.app.host, config.app.port)
    web_serve.serve(config)


def _refuse_second(config: Config) -> None:
    app = App.find(config.data_dir)
    if app is not None:
        app.close()
        raise UsageError(
            f"the app already runs on {config.data_dir}: open {app.url}, or stop it "
            "first, or give this one a data folder of its own with TAGGER_DATA_DIR"
        )


def _refuse_taken(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        reason = "another program is there" if taken else error.strerror
        raise UsageError(
            f"the app cannot listen on {host}, port {port}: {reason}. Choose another "
            f"port with app.port in config.toml or, once, with PORT={_next(port)}"
        ) from error


def _next(port: int) -> int:
    return port + 1 if 1024 <= port < 65535 else 8501


def run(options: Namespace, config: Config) -> int:
    """Work the queue until stopped; people in front of the screens go first."""
    priority.give_way(PRIORITY)
    stop = threading.Event()
    tagger_run.stop_on_signals(stop)
    tagger_run.run(config, child=options.child, stop=stop)
    return 0
