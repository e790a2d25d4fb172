"""Serve: the app on HOST and PORT of the settings, by Streamlit's own runner.

This process becomes the app, so that signals, exit code and output are the app's own
and nothing stands between it and whoever started it.
"""

import ipaddress
import os
import sys
from typing import NoReturn

from tagger.config import ROOT, Config
from tagger.errors import ConfigError


def refuse_beyond_loopback(host: str, *, setting: str = "app.host") -> None:
    """Raise `ConfigError` naming `setting` unless only this machine reaches `host`."""
    if host.lower() == "localhost":
        return
    try:
        if ipaddress.ip_address(host).is_loopback:
            return
    except ValueError:
        raise ConfigError(
            f"{setting} = {host!r} is not allowed: give an address such as 127.0.0.1"
        ) from None
    raise ConfigError(
        f"{setting} = {host!r} would let other machines in, and there is no sign-in "
        "yet: sharing on a network comes with it in a later version. Until then use "
        "127.0.0.1"
    )


def command(config: Config) -> list[str]:
    """The command line that runs the app where the settings say."""
    refuse_beyond_loopback(config.app.host)
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
    """Become the app; does not return.

    Raises `ConfigError` for an address beyond this machine.
    """
    arguments = command(config)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, arguments)  # nosec B606
