"""The `tags import` command: a table from a spreadsheet becomes one edit."""

from argparse import Namespace
from pathlib import Path

from tagger.cli import output
from tagger.cli.editing import SOME_FAILED, carry_out
from tagger.config import Config
from tagger.errors import UsageError
from tagger.tracking import sheetplan, tagsheet
from tagger.tracking.database import Database
from tagger.tracking.edits import Edit
from tagger.tracking.sheetplan import SheetPlan

# More are in the file; a person looks at the first and sees what is wrong.
MOST_NAMED = 50


def bring_in(options: Namespace, config: Config) -> int:
    """Say what a table changes, change it, and carry it out; 3 if rows are left out."""
    rows = tagsheet.parse(_read(Path(options.file)))
    with Database.of(config) as db:
        planned = sheetplan.plan(db, rows)
    _say(planned)

    def make(db: Database, dry_run: bool) -> Edit:
        name = Path(options.file).name
        return sheetplan.edit(db, planned, file=name, dry_run=dry_run)

    code = carry_out(options, config, make)
    return code or (SOME_FAILED if planned.passed else 0)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(tagsheet.LONGEST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def _say(planned: SheetPlan) -> None:
    for passed in planned.passed[:MOST_NAMED]:
        output.problem(f"line {passed.line}: {passed.photo}: {passed.reason}")
    if len(planned.passed) > MOST_NAMED:
        output.problem(f"… and {len(planned.passed) - MOST_NAMED} more like these")
    output.problem(
        f"{output.count(planned.rows, 'row')}: "
        f"{output.count(planned.added, 'tag')} to add, {planned.removed} to take away; "
        f"{planned.unchanged} already so, {len(planned.passed)} left out"
    )
