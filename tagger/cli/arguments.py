"""The commands and their options, in the order `--help` lists them."""

from argparse import ArgumentParser

from tagger import __version__
from tagger.cli import corrections, exploring, peopling, steering
from tagger.cli.building import Commands, positive
from tagger.cli.building import command as _command
from tagger.records import WriteMode

EXIT_CODES = """exit codes:
  0  all photos are done
  2  bad usage or settings
  3  some photos failed; each is named with its reason
  4  no usable model server
"""
IMPORT_CODES = """No file is written. Photos that bring no answer wait for a tagger.
Runs, timings, tokens and the history for undo are in no file, and do not come back.

exit codes:
  0  all photos were read
  2  bad usage or settings
  3  some photos failed; each is named with its reason
"""


_SERVERS_HELP = (
    "the model servers its photos may be sent to, by their names in the settings, or "
    "builtin; no other ever gets them (any: they may go to all)"
)

_REVIEW = ("on", "off")
_REVIEW_HELP = (
    "whether answers are written only after a person has accepted them; what waits "
    "when this is switched off goes on waiting"
)


def parser() -> ArgumentParser:
    """The whole command line."""
    root = ArgumentParser(
        prog="python -m tagger",
        description="Image Tagger: describes and tags photos, and finds them again.",
    )
    root.add_argument("--version", action="version", version=__version__)
    root.add_argument(
        "-v", "--verbose", action="store_true", help="log what is being done"
    )
    commands = root.add_subparsers(required=True, metavar="COMMAND")
    _tag(commands)
    _import(commands)
    _demo(commands)
    _serve(commands)
    _run(commands)
    _folders(commands)
    _scan(commands)
    _status(commands)
    steering.add(commands)
    exploring.add(commands)
    _doctor(commands)
    corrections.add(commands)
    peopling.add(commands)
    return root


def _tag(commands: "Commands[ArgumentParser]") -> None:
    command = _command(
        commands,
        "tag",
        "tagging:tag",
        "tag photos and folders, and exit",
        json=True,
        epilog=EXIT_CODES,
    )
    command.add_argument("paths", nargs="+", metavar="PATH")
    _model_options(command)
    command.add_argument(
        "--write",
        choices=[str(mode) for mode in WriteMode],
        help="where the words go (default: as the folder is set; new folders: "
        "metadata.write_mode)",
    )
    command.add_argument(
        "--retag", action="store_true", help="ask again where an answer exists"
    )
    command.add_argument(
        "--dry-run",
        action="store_true",
        help="list the photos that would be worked on; change nothing",
    )
    command.add_argument(
        "--limit", type=positive, metavar="N", help="work on at most N photos"
    )


def _import(commands: "Commands[ArgumentParser]") -> None:
    command = _command(
        commands,
        "import",
        "importing:bring_in",
        "take over the words of photos tagged elsewhere, or before the database was "
        "lost; no model is asked",
        json=True,
        epilog=IMPORT_CODES,
    )
    command.add_argument("paths", nargs="+", metavar="PATH")
    command.add_argument(
        "--dry-run",
        action="store_true",
        help="say what would be taken over; change nothing",
    )


def _model_options(command: ArgumentParser) -> None:
    command.add_argument(
        "--backend",
        choices=["auto", "ollama", "openai", "builtin"],
        help="who looks at the photos (default: model.backend of the settings)",
    )
    command.add_argument(
        "--server",
        action="append",
        default=[],
        metavar="URL",
        help="a model server to ask instead of the configured ones; may be repeated",
    )
    command.add_argument("--model", metavar="NAME", help="the model to ask for")


def _demo(commands: "Commands[ArgumentParser]") -> None:
    command = _command(
        commands,
        "demo",
        "tagging:demo",
        "tag a fresh copy of the sample photographs",
        json=True,
    )
    _model_options(command)


def _serve(commands: "Commands[ArgumentParser]") -> None:
    _command(
        commands,
        "serve",
        "serving:serve",
        "run the app on HOST and PORT of the settings or environment",
        quiet_log=False,
    )


def _run(commands: "Commands[ArgumentParser]") -> None:
    command = _command(
        commands,
        "run",
        "serving:run",
        "watch the active folders and work the queue until stopped",
        quiet_log=False,
    )
    command.add_argument(
        "--child",
        action="store_true",
        help="stop at the end of standard input (how the app runs it)",
    )


def _folders(commands: "Commands[ArgumentParser]") -> None:
    command = commands.add_parser(
        "folders", help="add, list, remove and switch folders"
    )
    actions = command.add_subparsers(required=True, metavar="ACTION")
    add = _command(
        actions, "add", "folders:add", "add a folder", json=True, records=True
    )
    add.add_argument("path", metavar="PATH")
    add.add_argument("--flat", action="store_true", help="leave its subfolders alone")
    _write_options(add)
    add.add_argument(
        "--inactive", action="store_true", help="do not watch it or work on it yet"
    )
    add.add_argument("--servers", metavar="NAME,…", help=_SERVERS_HELP)
    add.add_argument("--review", choices=_REVIEW, help=_REVIEW_HELP)
    _command(actions, "list", "folders:show", "list the folders", json=True)
    change = _command(
        actions,
        "set",
        "folders:change",
        "change where a folder's words go, who may have its photos, and when",
        json=True,
        records=True,
        epilog="What was written so far stays where it is. To set `mirror` once more\n"
        "writes again what is missing there.",
    )
    change.add_argument("folder", metavar="PATH_OR_ID")
    _write_options(change)
    change.add_argument("--servers", metavar="NAME,…", help=_SERVERS_HELP)
    _schedule_options(change)
    change.add_argument("--review", choices=_REVIEW, help=_REVIEW_HELP)
    for name, run, text in (
        ("remove", "folders:remove", "take a folder out; no file is touched"),
        ("activate", "folders:activate", "have a folder watched and worked on"),
        ("deactivate", "folders:deactivate", "leave a folder alone for now"),
    ):
        one = _command(actions, name, run, text, json=True, records=True)
        one.add_argument("folder", metavar="PATH_OR_ID")


def _schedule_options(command: ArgumentParser) -> None:
    command.add_argument(
        "--hours",
        metavar="FROM-TO",
        help='the hours its photos are worked on, such as "22:00-07:00"; "": those of '
        "schedule.window",
    )
    command.add_argument(
        "--scan-every",
        metavar="MINUTES",
        help='how often it is looked through; "": as scan.interval_min says',
    )


def _write_options(command: ArgumentParser, *, required: bool = False) -> None:
    command.add_argument(
        "--write",
        choices=[str(mode) for mode in WriteMode],
        required=required,
        help="into the photos (file), into XMP files beside them (sidecar) or in a "
        "tree of their own (mirror), or into the catalogue only (none)",
    )
    command.add_argument(
        "--mirror",
        metavar="DIR",
        help="the folder for this folder's mirror, instead of its place below "
        "metadata.mirror_dir",
    )


def _scan(commands: "Commands[ArgumentParser]") -> None:
    command = _command(
        commands,
        "scan",
        "folders:scan",
        "look for new, changed and missing photos in folders",
        json=True,
    )
    command.add_argument("paths", nargs="*", metavar="PATH")


def _status(commands: "Commands[ArgumentParser]") -> None:
    _command(
        commands,
        "status",
        "status:status",
        "show the queue, its rate, the servers and the last errors",
        json=True,
    )


def _doctor(commands: "Commands[ArgumentParser]") -> None:
    _command(
        commands,
        "doctor",
        "doctoring:doctor",
        "check exiftool, model servers, limits, disk and catalogue",
        json=True,
    )
