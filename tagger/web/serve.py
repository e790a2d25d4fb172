"""Serve: the app on HOST and PORT of the settings, by Streamlit's own runner.

This process becomes the app, so that signals, exit code and output are the app's own
and nothing stands between it and whoever started it.
"""

import os
import sys
from typing import NoReturn

from tagger.config import ROOT, Config
from tagger.errors import ConfigError
from tagger.web import origin
from tagger.web.refusals import ADD_ADMIN


def refuse_strangers(
    config: Config, host: str, *, has_admin: bool, setting: str = "app.host"
) -> None:
    """Raise `ConfigError` unless only this machine reaches `host`, or people sign in.

    Beyond this machine nobody is let in without an admin, unless everybody is.
    """
    if not _is_address(host):
        raise ConfigError(
            f"{setting} = {host!r} is not allowed: give an address such as 127.0.0.1"
        )
    if origin.is_loopback(host) or has_admin or config.auth.mode == "open":
        return
    raise ConfigError(
        f"{setting} = {host!r} lets other machines in, and there is nobody yet who may "
        f"let people in: run `{ADD_ADMIN}` first, and start again. "
        'auth.mode = "open" lets everybody do everything instead'
    )


def _is_address(host: str) -> bool:
    everywhere = host in ("0.0.0.0", "::")
    return host.lower() == "localhost" or everywhere or origin.is_address(host)


def command(config: Config) -> list[str]:
    """The command line that runs the app where the settings say."""
    return [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(ROOT / "app.py"),
        f"--server.address={config.app.host}",
        f"--server.port={config.app.port}",
        "--server.headless=true",
        "--browser.gatherUsageStats=false",
    ]


def serve(config: Config) -> NoReturn:
    """Become the app; does not return."""
    arguments = command(config)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, arguments)  # nosec B606
