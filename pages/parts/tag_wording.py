"""Tag wording: what is done to tags, in words; each is safe in a Streamlit label."""

from collections.abc import Mapping, Sequence
from typing import Any

from pages.parts.wording import BUILTIN, count, plain
from tagger.tracking.underway import Underway
from tagger.tracking.undoables import Undoable
from tagger.web.tagchanges import Change, What

SHOWN = 60  # characters of a name in a sentence; a name may have ten thousand
NAMED = 4

ACTIONS = {
    What.RENAME: "Rename",
    What.MERGE: "Merge",
    What.DELETE: "Delete",
    What.SYNONYM: "Make a synonym",
    What.UNSYNONYM: "Remove the synonym",
    What.BAN: "Ban",
    What.UNBAN: "Allow again",
}


def short(name: str) -> str:
    """A name as a sentence has room for it, so that none of it acts as Markdown.

    It is set apart from what is around it, whichever way it is written.
    """
    return f"\u2068{plain(cut(name))}\u2069"


def cut(name: str) -> str:
    """A name, or its beginning."""
    return name if len(name) <= SHOWN else f"{name[: SHOWN - 1]}…"


def names(tags: Sequence[str]) -> str:
    """Some tags in a sentence: the first few by name."""
    listed = ", ".join(f"**{short(tag)}**" for tag in tags[:NAMED])
    more = len(tags) - NAMED
    return f"{listed} and {more:,} more" if more > 0 else listed


def sentence(change: Change) -> str:
    """What a change does: `Rename **dog** to **hound**`."""
    tags, to = names(change.tags), f"**{short(change.to)}**"
    match change.what:
        case What.RENAME:
            return f"Rename {tags} to {to}"
        case What.MERGE:
            return (
                f"Merge {names([t for t in change.tags if t != change.to])} into {to}"
            )
        case What.DELETE:
            return f"Take {tags} from every photo"
        case What.SYNONYM:
            return f"Let {tags} in answers of models become {to}"
        case What.UNSYNONYM:
            return f"Let {tags} in answers of models be itself again"
        case What.BAN:
            return f"Ban {tags}: no answer of a model brings it"
        case What.UNBAN:
            return f"Allow {tags} again in answers of models"


def done(edit: Underway, known: Undoable | None) -> str:
    """What an edit did, by its record."""
    old = [str(name) for name in edit.detail.get("old", ())]
    new = edit.detail.get("new")
    match edit.kind:
        case "delete":
            return f"{names(old)} taken from every photo"
        case "rename":
            return f"{names(old)} renamed to **{short(str(new))}**"
        case "merge":
            return f"{names(old)} merged into **{short(str(new))}**"
        case "undo":
            return f"Change of {names(old)} taken back"
        case "tags":
            return _tagged(edit.detail)
        case "vocabulary":
            return _of_the_lists(edit, known.before if known else {})
    return "Tags changed"


def _tagged(detail: Mapping[str, Any]) -> str:
    added, gone = detail.get("add", ()), detail.get("remove", ())
    parts = [f"{names(added)} added"] if added else []
    parts += [f"{names(gone)} taken away"] if gone else []
    return " and ".join(parts)


def _of_the_lists(edit: Underway, before: Mapping[str, object]) -> str:
    tag = str(before.get("ban") or before.get("synonym") or "")
    if not tag:
        return f"Word lists changed for {names(list(edit.detail.get('tags', ())))}"
    what = "bans" if "ban" in before else "synonyms"
    return f"List of {what} changed for {names([tag])}"


def photos(number: int, files: int) -> str:
    """`12 photos change, 10 files among them.`"""
    if not number:
        return "No photo changes."
    verb = "changes" if number == 1 else "change"
    return f"{count(number, 'photo')} {verb}; {count(files, 'file')} will be written."


def source(name: str) -> str:
    """Who said a tag, as a name."""
    return {
        "file": "Files",
        "person": "A person",
        BUILTIN: "Built-in model",
    }.get(name, name)
