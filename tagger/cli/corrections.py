"""The commands that correct what was written: undo, verify, edits, vocabulary."""

from argparse import ArgumentParser

from tagger.cli.building import Commands, command, positive
from tagger.records import Changed

UNDO_NOTES = """\
--tag takes one tag out again where this program brought it, and nothing else of those
writes; where you gave it yourself, it stays. All else puts back whole writes, newest
first, field by field.

A field that somebody changed after it was written is left and named, and stays listed
in `history PATH`. --changed keep leaves it for good; --changed overwrite puts it back
all the same: of keywords only ours go, another text is replaced. An undo can be undone
like any run, and keeps what it replaced.

exit codes, of --dry-run as well:
  0  all of it was put back
  3  something was left as it is: somebody changed it since, or it is out of reach
"""
EDIT_CODES = """exit codes:
  0  all photos are done
  3  some photos failed; each is named with its reason
"""


def add(commands: "Commands[ArgumentParser]") -> None:
    """All of them, in the order `--help` lists them."""
    command(commands, "runs", "history:runs", "list the runs", json=True)
    _history(commands)
    _undo(commands)
    _verify(commands)
    _tags(commands)
    _describe(commands)
    _synonyms(commands)
    _bans(commands)
    _review(commands)
    command(
        commands,
        "conflicts",
        "history:conflicts",
        "list where an edit and a change made outside disagree",
        json=True,
    )


def _undo(commands: "Commands[ArgumentParser]") -> None:
    undo = command(
        commands,
        "undo",
        "undoing:undo",
        "put back what photos held before they were written",
        json=True,
        records=True,
        epilog=UNDO_NOTES,
    )
    which = undo.add_mutually_exclusive_group(required=True)
    which.add_argument("--image", metavar="PATH", help="a photo, or a folder of them")
    which.add_argument(
        "--run", dest="run_id", type=int, metavar="ID", help="a run; an undo is one too"
    )
    which.add_argument("--tag", metavar="NAME", help="a tag, where we brought it")
    which.add_argument("--since", metavar="TIME", help="such as 2026-11-22T10:00")
    undo.add_argument(
        "--changed",
        choices=[str(way) for way in Changed],
        default=str(Changed.REFUSE),
        help="what becomes of fields somebody changed since (default: %(default)s)",
    )
    _dry_run(undo)


def _history(commands: "Commands[ArgumentParser]") -> None:
    history = command(
        commands,
        "history",
        "history:history",
        "list what was written into photos, and what of it still stands",
        json=True,
    )
    history.add_argument("paths", nargs="+", metavar="PATH")


def _verify(commands: "Commands[ArgumentParser]") -> None:
    verify = command(
        commands,
        "verify",
        "history:verify",
        "check that every photo that was written is as it should be",
        json=True,
    )
    verify.add_argument("paths", nargs="*", metavar="PATH")


def _tags(commands: "Commands[ArgumentParser]") -> None:
    group = commands.add_parser(
        "tags", help="add, remove, import, rename, merge and suggest tags"
    )
    actions = group.add_subparsers(required=True, metavar="ACTION")
    for name, text in (("add", "add tags to photos"), ("remove", "take tags away")):
        one = _edit(actions, name, f"editing:{name}", text)
        one.add_argument("tags", nargs="+", metavar="TAG")
        one.add_argument(
            *("--image", "-i"),
            nargs="+",
            required=True,
            metavar="PATH",
            help="photos, or folders of them",
        )
    brought = _edit(
        actions,
        "import",
        "sheets:bring_in",
        "change tags as a CSV file says: columns id or path, and tags, or add and "
        "remove, with ; between tags",
    )
    brought.add_argument("file", metavar="FILE.csv")
    rename = _edit(actions, "rename", "editing:rename", "give a tag another name")
    rename.add_argument("old", metavar="OLD")
    rename.add_argument("new", metavar="NEW")
    merge = _edit(actions, "merge", "editing:merge", "make several tags one")
    merge.add_argument("tags", nargs="+", metavar="TAG", help="the last one stays")
    delete = _edit(actions, "delete", "editing:delete", "take a tag from every photo")
    delete.add_argument("name", metavar="NAME")
    _suggest(actions)


def _suggest(actions: "Commands[ArgumentParser]") -> None:
    suggest = command(
        actions,
        "suggest",
        "suggesting:suggest",
        "list pairs of tags that are probably one; nothing is changed",
        json=True,
        epilog="The rarer tag comes first: `tags merge` takes the two in this order.\n"
        "exit codes:\n  0  there are some\n  1  there are none",
    )
    suggest.add_argument("--limit", type=positive, default=100, metavar="N")
    suggest.add_argument(
        "--meaning",
        action="store_true",
        help="also tags near in meaning, by the model of the setting semantic.model",
    )


def _describe(commands: "Commands[ArgumentParser]") -> None:
    one = _edit(commands, "describe", "editing:describe", "give a photo a description")
    one.add_argument("path", metavar="PATH")
    one.add_argument("text", metavar="TEXT")


def _synonyms(commands: "Commands[ArgumentParser]") -> None:
    group = commands.add_parser("synonyms", help="words that become other tags")
    actions = group.add_subparsers(required=True, metavar="ACTION")
    command(actions, "list", "editing:synonyms", "list them", json=True)
    one = _edit(actions, "add", "editing:add_synonym", "let a word become a tag")
    one.add_argument("word", metavar="WORD")
    one.add_argument("tag", metavar="TAG")
    _past(one)
    gone = _edit(actions, "remove", "editing:remove_synonym", "let a word be itself")
    gone.add_argument("word", metavar="WORD")
    _past(gone)


def _bans(commands: "Commands[ArgumentParser]") -> None:
    group = commands.add_parser("bans", help="tags that no answer shall bring")
    actions = group.add_subparsers(required=True, metavar="ACTION")
    command(actions, "list", "editing:bans", "list them", json=True)
    for name, text in (("add", "ban a tag"), ("remove", "allow a tag again")):
        one = _edit(actions, name, f"editing:{name}_ban", text)
        one.add_argument("tag", metavar="TAG")
        _past(one)


def _review(commands: "Commands[ArgumentParser]") -> None:
    group = commands.add_parser(
        "review", help="decide of answers that wait for a person"
    )
    actions = group.add_subparsers(required=True, metavar="ACTION")
    listed = command(
        actions, "list", "reviewing:show", "list what is proposed", json=True
    )
    listed.add_argument("paths", nargs="*", metavar="PATH")
    listed.add_argument("--limit", type=positive, default=50, metavar="N")
    for name, text in (
        ("accept", "have the words that are proposed written"),
        ("reject", "use nothing of what is proposed"),
    ):
        one = _edit(actions, name, f"reviewing:{name}", text)
        one.add_argument("paths", nargs="*", metavar="PATH")
        one.add_argument("--all", action="store_true", help="of every photo that waits")


def _edit(
    commands: "Commands[ArgumentParser]", name: str, run: str, text: str
) -> ArgumentParser:
    one = command(commands, name, run, text, json=True, epilog=EDIT_CODES, records=True)
    _dry_run(one)
    return one


def _dry_run(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would change; change nothing"
    )


def _past(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--past", action="store_true", help="apply it to photos tagged so far as well"
    )
