"""The commands about people: users, tokens, and the audit log."""

from argparse import ArgumentParser

from tagger.acting import Role
from tagger.cli.building import Commands, command, positive

_ROLES = tuple(role.value for role in Role)
_NOTE = """\
viewer: looks, searches and exports. editor: also changes words, reviews, and says
which photos are asked about. admin: also manages folders, settings and people.
"""


def add(commands: "Commands[ArgumentParser]") -> None:
    """All of them, in the order `--help` lists them."""
    group = commands.add_parser("users", help="who is let in, and what they may do")
    actions = group.add_subparsers(required=True, metavar="ACTION")
    command(actions, "list", "people:show", "list the users", json=True)
    one = command(
        actions,
        "add",
        "people:add",
        "add a user; from the first one on everybody signs in",
        epilog=_NOTE,
        records=True,
    )
    one.add_argument("name", metavar="NAME")
    one.add_argument("--role", choices=_ROLES, default="viewer")
    _password(one)
    one.add_argument(
        "--no-password",
        action="store_true",
        help="only a proxy or another provider lets them in, or a token",
    )
    role = command(
        actions,
        "role",
        "people:set_role",
        "let a user do more or less, at once",
        epilog=_NOTE,
        records=True,
    )
    role.add_argument("name", metavar="NAME")
    role.add_argument("role", choices=_ROLES)
    password = command(
        actions,
        "password",
        "people:set_password",
        "give a user another password",
        records=True,
    )
    password.add_argument("name", metavar="NAME")
    _password(password)
    for name, run, text in (
        ("sign-out", "sign_out", "end all sign-ins of a user"),
        ("remove", "remove", "let a user in no more"),
    ):
        of = command(actions, name, f"people:{run}", text, records=True)
        of.add_argument("name", metavar="NAME")
    _tokens(actions)
    _audit(commands)


def _password(one: ArgumentParser) -> None:
    one.add_argument(
        "--password-stdin",
        action="store_true",
        help="read the password from standard input instead of asking",
    )


def _tokens(actions: "Commands[ArgumentParser]") -> None:
    token = command(
        actions,
        "token",
        "people:token",
        "make a token that a program shows to the API, and print it once",
        records=True,
    )
    token.add_argument("name", metavar="NAME", help="whose token it is")
    token.add_argument(
        "--name", dest="called", required=True, metavar="TEXT", help="what it is for"
    )
    token.add_argument("--days", type=positive, default=90, help="default: 90")
    token.add_argument(
        "--role",
        choices=_ROLES,
        help="the most it may be used for; default: the user's",
    )
    listed = command(actions, "tokens", "people:list_tokens", "list tokens", json=True)
    listed.add_argument("name", metavar="NAME", nargs="?")
    revoke = command(
        actions, "revoke", "people:revoke", "take a token away", records=True
    )
    revoke.add_argument("id", type=positive, metavar="ID")


def _audit(commands: "Commands[ArgumentParser]") -> None:
    log = command(
        commands, "audit", "people:show_audit", "list what people changed", json=True
    )
    log.add_argument("--limit", type=positive, default=50, help="default: 50")
    log.add_argument("--who", metavar="NAME", help="only what this person did")
