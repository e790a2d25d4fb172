"""The `sql` command: the catalogue asked in SQL, by the app while it runs."""

import sys
from argparse import Namespace
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from tagger.catalogue.export import format_of
from tagger.cli import output
from tagger.cli.catalogue import opened
from tagger.config import Config
from tagger.errors import UsageError
from tagger.outfiles import replacing
from tagger.web import asked, saved
from tagger.web.client import App


def sql(options: Namespace, config: Config) -> int:
    """Print what a question finds, or write it to a file."""
    text = _text(options, config)
    if options.out:
        out = Path(options.out)
        format = format_of(out)
        with replacing(out) as file:
            _write(text, file, format, options, config)
        output.problem(f"wrote {out}")
        return 0
    if options.csv:
        held = BytesIO()
        _write(text, held, "csv", options, config)
        _print(held.getvalue())
        return 0
    answer = _ask(text, config)
    if options.json:
        output.data(answer)
    else:
        columns = [column["name"] for column in answer["columns"]]
        output.table(columns, [[_cell(v) for v in row] for row in answer["rows"]])
    if answer["cut"]:
        output.problem(
            f"cut at {output.count(len(answer['rows']), 'row')} (setting "
            "catalogue.sql_rows); there are more"
        )
    return 0


def _text(options: Namespace, config: Config) -> str:
    if (options.text is None) == (options.saved is None):
        raise UsageError("give a SELECT, or --saved with the name of a question")
    if options.out and (options.csv or options.json):
        raise UsageError("--out says the form by the file's name; leave out the other")
    if options.saved is not None:
        return saved.named(config.data_dir, options.saved).sql
    return str(options.text)


def _ask(text: str, config: Config) -> dict[str, Any]:
    app = App.find(config.data_dir)
    if app is not None:
        with app:
            return app.sql(text)
    with opened(config) as here:
        return asdict(asked.answer(here, text))


def _write(
    text: str, out: BinaryIO, format: str, options: Namespace, config: Config
) -> None:
    app, safe = App.find(config.data_dir), not options.plain
    if app is not None:
        with app:
            full = app.sql_file(text, out, format=format, formula_safe=safe)
    else:
        with opened(config) as here:
            written = asked.file(here, text, format, formula_safe=safe)
            for piece in written.pieces:
                out.write(piece)
        full = written.full
    if full:
        output.problem(
            "it has as many rows as a file may have (setting catalogue.sql_file_rows); "
            "there may be more"
        )


def _print(data: bytes) -> None:
    """Into a pipe as it is; on a terminal without what that takes for commands."""
    if sys.stdout.isatty():
        for line in data.decode().splitlines():
            output.line(line)
    else:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return "; ".join(str(_cell(each)) for each in value)
    return value
