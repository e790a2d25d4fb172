"""The commands that steer the queue, tell what it cost, and measure."""

from argparse import ArgumentParser

from tagger.cli.building import Commands, command, positive

QUEUE_NOTE = """\
A pause, and the hours and the limit of the settings, hold for the queue. What a
person names, with `queue now` or `tag`, is done all the same.
"""


def add(commands: "Commands[ArgumentParser]") -> None:
    """All of them, in the order `--help` lists them."""
    group = commands.add_parser("queue", help="pause, order, cancel and retry")
    actions = group.add_subparsers(required=True, metavar="ACTION")
    for name, run, text in (
        (
            "list",
            "show",
            "show what waits, what comes next, and what failed for what reason",
        ),
        ("pause", "pause", "take nothing new; what is at the servers is finished"),
        ("resume", "resume", "go on"),
    ):
        command(
            actions,
            name,
            f"queue:{run}",
            text,
            json=True,
            epilog=QUEUE_NOTE,
            records=name != "list",
        )
    _place(actions, "cancel", "take waiting photos out; they stand as they were")
    _place(actions, "add", "put photos that were taken out back into the queue")
    first = command(
        actions,
        "first",
        "queue:first",
        "let the photos of a folder go first",
        json=True,
        records=True,
    )
    first.add_argument("place", nargs="?", metavar="PATH")
    first.add_argument("--none", action="store_true", help="let no folder go first")
    now = command(
        actions,
        "now",
        "queue:now",
        "let photos go ahead of everything",
        json=True,
        records=True,
    )
    now.add_argument("paths", nargs="+", metavar="PATH")
    now.add_argument(
        "--retag", action="store_true", help="ask again where an answer exists"
    )
    retry = command(
        actions,
        "retry",
        "queue:retry",
        "queue failed photos again",
        json=True,
        records=True,
    )
    retry.add_argument(
        "--reason",
        metavar="TEXT",
        help="those whose reason, as `queue list` shows it, has this in it; also what "
        "could not be written",
    )
    _costs(commands)
    _bench(commands)


def _place(actions: "Commands[ArgumentParser]", name: str, text: str) -> None:
    one = command(actions, name, f"queue:{name}", text, json=True, records=True)
    which = one.add_mutually_exclusive_group(required=True)
    which.add_argument("place", nargs="?", metavar="PATH", help="a folder, or a photo")
    which.add_argument("--all", action="store_true", help="all of them")


def _costs(commands: "Commands[ArgumentParser]") -> None:
    costs = command(
        commands,
        "costs",
        "status:costs",
        "show the seconds and tokens that photos took, by server",
        json=True,
    )
    costs.add_argument(
        "--hours",
        type=float,
        default=24.0,
        metavar="N",
        help="photos asked about in the last N hours (default: 24)",
    )


def _bench(commands: "Commands[ArgumentParser]") -> None:
    bench = command(
        commands,
        "bench",
        "benching:bench",
        "measure how fast the program is here, each figure beside its limit",
        json=True,
        epilog="It makes its own pictures, in a folder that goes again, and asks no\n"
        "model server but one of its own. A quiet machine gives steady figures.",
    )
    bench.add_argument("--only", metavar="PARTS", help="some of looks,writes,scan,flow")
    bench.add_argument("--out", metavar="FILE", help="write the figures as JSON")
    bench.add_argument("--dir", metavar="DIR", help="where to make the pictures")
    bench.add_argument(
        "--files", type=positive, default=500_000, metavar="N", help="files to scan"
    )
    bench.add_argument(
        "--photos", type=positive, metavar="N", help="photos of each format"
    )
    bench.add_argument(
        "--megapixels", type=float, default=12.0, metavar="N", help="size of a photo"
    )
    bench.add_argument(
        "--flow-photos", type=positive, default=160, metavar="N", help="photos to tag"
    )
    bench.add_argument(
        "--slots", type=positive, default=4, metavar="S", help="slots of the server"
    )
    bench.add_argument(
        "--ms", type=float, default=500.0, metavar="T", help="time of an answer"
    )
