"""The command line: `python -m tagger COMMAND`, each with `--help`.

Exit codes: 0 done, 1 failed for a reason that is said, 2 bad usage or settings, 3 some
photos failed, 4 no usable model server, 130 stopped by Ctrl-C.
"""

import logging
import os
import sys
from collections.abc import Sequence

from tagger import config, logs
from tagger.cli import arguments
from tagger.errors import (
    ConfigError,
    ModelUnavailable,
    QueryError,
    SqlError,
    TaggerError,
    UsageError,
)
from tagger.texts import printable

DONE, FAILED, USAGE, SOME_FAILED, NO_MODEL, STOPPED = 0, 1, 2, 3, 4, 130


def main(argv: Sequence[str]) -> int:
    """Run one command; returns its exit code. Errors are told on standard error."""
    options = arguments.parser().parse_args(argv)
    try:
        settings = config.load()
        logs.begin(settings.app.log_level.upper())
        # One line a request would bury what the program itself has to say.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        if not options.verbose and options.quiet_log:
            logging.getLogger("tagger").setLevel(logging.ERROR)
        run = options.run
        if options.records is not None:
            from tagger.cli import recording

            run = recording.run
        code = int(run(options, settings))
        sys.stdout.flush()
        return code
    except TaggerError as error:
        sys.stderr.write(f"{printable(str(error))}\n")
        if isinstance(error, QueryError | SqlError):
            for line in error.pointer.splitlines():
                sys.stderr.write(f"{printable(line)}\n")
        return _code(error)
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        return STOPPED
    except BrokenPipeError:
        # The reader of our output went away; Python would complain of it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _code(error: TaggerError) -> int:
    if isinstance(error, ConfigError | UsageError):
        return USAGE
    return NO_MODEL if isinstance(error, ModelUnavailable) else FAILED
