"""The `serve` and `run` commands."""

import threading
from argparse import Namespace

from tagger.config import Config
from tagger.pipeline import run as tagger_run
from tagger.web import serve as web_serve


def serve(options: Namespace, config: Config) -> int:
    """Become the app on HOST and PORT."""
    web_serve.serve(config)


def run(options: Namespace, config: Config) -> int:
    """Work the queue until stopped."""
    stop = threading.Event()
    tagger_run.stop_on_signals(stop)
    tagger_run.run(config, child=options.child, stop=stop)
    return 0
