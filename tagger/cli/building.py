"""How a command joins the command line: its help, and the function that does it."""

from argparse import (
    ArgumentParser,
    ArgumentTypeError,
    Namespace,
    RawDescriptionHelpFormatter,
    _SubParsersAction,
)
from collections.abc import Callable
from importlib import import_module

from tagger.config import Config

Command = Callable[[Namespace, Config], int]
Commands = _SubParsersAction  # argparse has no public name for it


def later(place: str) -> Command:
    """`module:function` of `tagger.cli`, imported when it is called.

    A command loads only what it needs: `run` no DuckDB, `status` no exiftool.
    """
    module, function = place.split(":")

    def run(options: Namespace, config: Config) -> int:
        command = getattr(import_module(f"tagger.cli.{module}"), function)
        return int(command(options, config))

    return run


def command(
    commands: "Commands[ArgumentParser]",
    name: str,
    run: str,
    help: str,
    *,
    quiet_log: bool = True,
    json: bool = False,
    epilog: str | None = None,
    records: bool = False,
) -> ArgumentParser:
    """One command of the given group, carried out by `run`, a `module:function`.

    `records`: it changes something, which goes into the audit log.
    """
    parser = commands.add_parser(
        name,
        help=help,
        description=help[0].upper() + help[1:] + ".",
        epilog=epilog,
        formatter_class=RawDescriptionHelpFormatter,
    )
    called = parser.prog.removeprefix("python -m tagger ") if records else None
    parser.set_defaults(run=later(run), quiet_log=quiet_log, records=called)
    if json:
        parser.add_argument(
            "--json", action="store_true", help="print JSON instead of a table"
        )
    return parser


def positive(text: str) -> int:
    """A whole number from 1 on, as an option's value."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"must be a whole number from 1 on, not {text!r}")
    return int(text)
