"""The `users` and `audit` commands: who is let in, and who did what."""

import getpass
import sys
from argparse import Namespace
from datetime import UTC, datetime

from tagger import passwords
from tagger.acting import ABOUT, Role
from tagger.cli import output
from tagger.config import Config
from tagger.errors import UsageError
from tagger.tracking import audit, signins, tokens, users
from tagger.tracking.database import Database
from tagger.tracking.users import User

COLUMNS = ("name", "role", "password", "signed in", "tokens", "added")
TOKENS = ("id", "user", "name", "role", "ends", "last used", "")
AUDIT = ("id", "when", "who", "role", "way", "what", "outcome", "detail")


def show(options: Namespace, config: Config) -> int:
    """List the users."""
    with Database.of(config) as db:
        found = users.every(db)
        if options.json:
            output.data(found)
            return 0
        shown = [_row(db, user) for user in found]
    output.table(COLUMNS, shown)
    if not found:
        output.problem(
            "there are no users: only who sits at this machine is let in. "
            "`python -m tagger users add NAME --role admin` adds the first"
        )
    return 0


def _row(db: Database, user: User) -> tuple[object, ...]:
    return (
        user.name,
        user.role,
        "yes" if user.has_password else "no",
        signins.open_of(db, user.id),
        len(tokens.every(db, user.name)),
        user.created_at,
    )


def add(options: Namespace, config: Config) -> int:
    """Add a user."""
    role = Role(options.role)
    with Database.of(config) as db:
        is_first = not users.are_any(db)
        # What cannot be is said before a password is asked for.
        if users.called(db, options.name) is not None:
            raise UsageError(f"there is a user called {options.name} already")
        password = None if options.no_password else _password(options)
        user = users.add(db, options.name, role=role, password=password)
    output.problem(f"{user.name} is {user.role}: {ABOUT[role]}")
    if is_first:
        output.problem("from now on everybody signs in, also at this machine")
    return 0


def set_role(options: Namespace, config: Config) -> int:
    """Let a user do more or less."""
    with Database.of(config) as db:
        user = users.set_role(db, options.name, Role(options.role))
    output.problem(f"{user.name} is {user.role}: {ABOUT[user.role]}")
    return 0


def set_password(options: Namespace, config: Config) -> int:
    """Give a user another password."""
    with Database.of(config) as db:
        if users.called(db, options.name) is None:
            raise UsageError(f"there is no user called {options.name}")
        users.set_password(db, options.name, _password(options))
    output.problem(f"{options.name} has a new password, and has to sign in with it")
    return 0


def remove(options: Namespace, config: Config) -> int:
    """Let a user in no more."""
    with Database.of(config) as db:
        users.remove(db, options.name)
        none_left = not users.are_any(db)
    output.problem(f"{options.name} is let in no more")
    if none_left:
        output.problem(
            "there are no users now: only who sits at this machine is let in"
        )
    return 0


def sign_out(options: Namespace, config: Config) -> int:
    """End all sign-ins of a user."""
    with Database.of(config) as db:
        user = users.called(db, options.name)
        if user is None:
            raise UsageError(f"there is no user called {options.name}")
        ended = signins.end_all(db, user.id)
    output.problem(f"{output.count(ended, 'sign-in')} of {user.name} ended")
    return 0


def token(options: Namespace, config: Config) -> int:
    """Make a token, and print it: it is not shown again."""
    role = Role(options.role) if options.role else None
    with Database.of(config) as db:
        made, secret = tokens.make(
            db, options.name, options.called, role=role, days=options.days
        )
    output.line(secret)
    output.problem(
        f"token {made.id} of {made.user} is for a {made.role} and ends "
        f"{made.ends_at}; it is shown only this once"
    )
    return 0


def list_tokens(options: Namespace, config: Config) -> int:
    """List tokens: what they are for, not what they are."""
    with Database.of(config) as db:
        found = tokens.every(db, options.name)
    if options.json:
        output.data(found)
        return 0
    output.table(
        TOKENS,
        [
            (
                *(one.id, one.user, one.name, one.role, one.ends_at, one.used_at),
                "over" if one.is_over else "",
            )
            for one in found
        ],
    )
    return 0


def revoke(options: Namespace, config: Config) -> int:
    """Take a token away."""
    with Database.of(config) as db:
        found = tokens.revoke(db, options.id)
    output.problem(f"token {found.id}, {found.name} of {found.user}, is refused now")
    return 0


def show_audit(options: Namespace, config: Config) -> int:
    """List what people changed, the newest first."""
    with Database.of(config) as db:
        found = audit.read(db, limit=options.limit, who=options.who)
    if options.json:
        output.data(found)
        return 0
    output.table(
        AUDIT,
        [
            (
                *(one.id, _local(one.at), one.who, one.role, one.way, one.what),
                one.outcome or "unknown",
                ", ".join(f"{key}: {value}" for key, value in one.detail.items()),
            )
            for one in found
        ],
    )
    return 0


def _local(at: str) -> str:
    """A time as this machine's clock shows it."""
    when = datetime.fromisoformat(at).replace(tzinfo=UTC)
    return f"{when.astimezone():%Y-%m-%d %H:%M:%S}"


def _password(options: Namespace) -> str:
    """What is kept of a new password, asked for twice, or read from standard input."""
    if options.password_stdin:
        return passwords.hashed(sys.stdin.readline().rstrip("\n"), name=options.name)
    if not sys.stdin.isatty():
        raise UsageError(
            "a password is asked for on a terminal; a script gives it on standard "
            "input, with --password-stdin"
        )
    given = getpass.getpass(f"Password for {options.name}: ")
    kept = passwords.hashed(given, name=options.name)
    if getpass.getpass("The same once more: ") != given:
        raise UsageError("these were two different passwords; nothing was changed")
    return kept
