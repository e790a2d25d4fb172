"""Recording: what a command changes goes into the audit log, under who ran it."""

import getpass
from argparse import Namespace

from tagger import acting
from tagger.acting import Person, Role
from tagger.config import Config
from tagger.tracking.database import Database
from tagger.web.acts import act

_OURS = frozenset(
    {"run", "quiet_log", "verbose", "json", "records", "password_stdin", "dry_run"}
)


def run(options: Namespace, config: Config) -> int:
    """Carry a command out as somebody at this machine, on record."""
    if getattr(options, "dry_run", False):
        return int(options.run(options, config))
    detail = {
        key: value
        for key, value in vars(options).items()
        if key not in _OURS and value not in (None, False, [])
    }
    someone = Person(_login(), Role.ADMIN, "command line", is_here=True)
    with (
        Database.of(config) as db,
        acting.as_person(someone),
        act(db, options.records, needs=Role.VIEWER, **detail),
    ):
        return int(options.run(options, config))


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # an account without a name, as in a container
        return "somebody"
