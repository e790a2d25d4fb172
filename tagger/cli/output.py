"""Output: tables and progress for people, plain lines for pipes, JSON for programs.

Names and words of photos are hostile input: control characters never reach a terminal.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from tagger.texts import escaped, printable

# Long enough for a rate when one answer takes a minute.
RATE_OVER_S = 300.0


def plain(value: object) -> str:
    """Text that is safe on a terminal."""
    return printable("" if value is None else str(value))


def line(text: str) -> None:
    """One line on standard output."""
    sys.stdout.write(f"{plain(text)}\n")


def problem(text: str) -> None:
    """One line on standard error."""
    sys.stderr.write(f"{plain(text)}\n")


def count(number: int, noun: str) -> str:
    """`1 photo`, `2 photos`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def data(value: object) -> None:
    """JSON on standard output."""
    text = json.dumps(value, ensure_ascii=False, indent=2, default=_jsonable)
    sys.stdout.write(f"{escaped(text)}\n")


def _jsonable(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table on a terminal; tab-separated lines, the first the names, in a pipe."""
    if not sys.stdout.isatty():
        for row in (columns, *rows):
            sys.stdout.write("\t".join(plain(cell) for cell in row) + "\n")
        return
    if not rows:
        return
    shown = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        shown.add_row(*(Text(plain(cell)) for cell in row))
    Console().print(shown)


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar with rate and time left on a terminal; a line now and then elsewhere."""
    if not sys.stderr.isatty():
        yield _lines(what)
        return
    with Progress(
        TextColumn(what),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        speed_estimate_period=RATE_OVER_S,
        transient=True,
    ) as bar:
        task = bar.add_task(what, total=None)

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield show


class _Rate(ProgressColumn):
    """How fast it goes: a second, or a minute where that says more."""

    def render(self, task: Task) -> Text:
        return Text(
            rate(task.finished_speed or task.speed), style="progress.data.speed"
        )


def rate(a_second: float | None) -> str:
    """`8.2/s`, `45/min`, or nothing while it is not known."""
    if not a_second:
        return ""
    return f"{a_second:.1f}/s" if a_second >= 1 else f"{a_second * 60:.1f}/min"


def _lines(what: str) -> Callable[[int, int], None]:
    """Report each tenth of the way, so that a log stays short."""
    said = 0

    def show(done: int, total: int) -> None:
        nonlocal said
        tenth = done * 10 // total if total else 0
        if tenth > said:
            said = tenth
            problem(f"{what}: {done} of {total}")

    return show
