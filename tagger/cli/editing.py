"""The commands that edit: `tags`, `describe`, `synonyms` and `bans`.

An edit is put down first and then carried out here; what this command cannot finish,
the tagger does.
"""

import os
import threading
from argparse import Namespace
from collections.abc import Callable
from typing import Protocol

from tagger.cli import output
from tagger.config import Config
from tagger.errors import UsageError
from tagger.pipeline import carrying
from tagger.pipeline.carrying import Carried
from tagger.pipeline.run import stop_on_signals
from tagger.tracking import edits, vocabulary
from tagger.tracking.database import Database
from tagger.tracking.edits import Edit

SOME_FAILED = 3

Make = Callable[[Database, bool], Edit]


class Change(Protocol):
    """A change of the word lists."""

    def __call__(self, db: Database, *, past: bool, dry_run: bool) -> Edit: ...


def add(options: Namespace, config: Config) -> int:
    """Add tags to photos."""
    places = _places(options.image)
    return carry_out(
        options,
        config,
        lambda db, dry: edits.tag(db, places, add=options.tags, dry_run=dry),
    )


def remove(options: Namespace, config: Config) -> int:
    """Take tags from photos."""
    places = _places(options.image)
    return carry_out(
        options,
        config,
        lambda db, dry: edits.tag(db, places, remove=options.tags, dry_run=dry),
    )


def rename(options: Namespace, config: Config) -> int:
    """Give a tag another name on every photo."""
    old, new = [options.old], options.new
    return carry_out(
        options, config, lambda db, dry: edits.replace(db, old, new, dry_run=dry)
    )


def merge(options: Namespace, config: Config) -> int:
    """Make several tags one on every photo."""
    *old, new = options.tags
    if not old:
        raise UsageError("name the tags to merge, and last the one they become")
    return carry_out(
        options, config, lambda db, dry: edits.replace(db, old, new, dry_run=dry)
    )


def delete(options: Namespace, config: Config) -> int:
    """Take a tag from every photo."""
    return carry_out(
        options,
        config,
        lambda db, dry: edits.replace(db, [options.name], None, dry_run=dry),
    )


def describe(options: Namespace, config: Config) -> int:
    """Give a photo a description."""
    places = _places([options.path])
    return carry_out(
        options,
        config,
        lambda db, dry: edits.describe(db, places, options.text, dry_run=dry),
    )


def synonyms(options: Namespace, config: Config) -> int:
    """List the words that become others."""
    with Database.of(config) as db:
        listed = vocabulary.every_synonym(db)
    if options.json:
        output.data([{"word": word, "tag": tag} for word, tag in listed])
    else:
        output.table(("word", "becomes"), listed)
    return 0


def add_synonym(options: Namespace, config: Config) -> int:
    """Let a word of answers become another tag."""
    return _vocabulary(
        options,
        config,
        lambda db, **how: vocabulary.add_synonym(db, options.word, options.tag, **how),
    )


def remove_synonym(options: Namespace, config: Config) -> int:
    """Let a word be itself again."""
    return _vocabulary(
        options,
        config,
        lambda db, **how: vocabulary.remove_synonym(db, options.word, **how),
    )


def bans(options: Namespace, config: Config) -> int:
    """List the tags that no answer shall bring."""
    with Database.of(config) as db:
        listed = vocabulary.every_ban(db)
    if options.json:
        output.data(listed)
    else:
        output.table(("tag",), [(name,) for name in listed])
    return 0


def add_ban(options: Namespace, config: Config) -> int:
    """Have no answer bring a tag any more."""
    return _vocabulary(
        options,
        config,
        lambda db, **how: vocabulary.add_ban(db, options.tag, **how),
    )


def remove_ban(options: Namespace, config: Config) -> int:
    """Allow a tag again."""
    return _vocabulary(
        options,
        config,
        lambda db, **how: vocabulary.remove_ban(db, options.tag, **how),
    )


def _places(paths: list[str]) -> list[bytes]:
    return [os.path.realpath(os.fsencode(path)) for path in paths]


def _vocabulary(options: Namespace, config: Config, change: Change) -> int:
    """Change the lists, and with `--past` the photos that are tagged already."""
    if options.past or options.dry_run:
        return carry_out(
            options, config, lambda db, dry: change(db, past=True, dry_run=dry)
        )
    with Database.of(config) as db:
        change(db, past=False, dry_run=False)
    output.problem("it holds for answers from now on; --past applies it to older ones")
    return 0


def carry_out(options: Namespace, config: Config, make: Make) -> int:
    """Say what an edit touches, make it, and carry it out."""
    with Database.of(config) as db:
        edit = make(db, options.dry_run)
    touched = (
        f"{output.count(edit.photos, 'photo')}, {output.count(edit.files, 'file')}"
    )
    if options.dry_run:
        if options.json:
            output.data({"photos": edit.photos, "files": edit.files})
        output.problem(f"{touched} would change; nothing was changed")
        return 0
    output.problem(f"{touched} to change")
    stop = threading.Event()
    stop_on_signals(stop)
    with output.progress("editing") as progress:
        carried = carrying.carry_out(config, edit, progress=progress, stop=stop)
    _say(options, edit, carried)
    if stop.is_set():
        return 130
    return SOME_FAILED if carried.failed else 0


def _say(options: Namespace, edit: Edit, carried: Carried) -> None:
    for image in carried.failed:
        output.problem(f"{image.shown_path}: {image.state}: {image.reason}")
    if carried.waiting:
        photos = output.count(len(carried.waiting), "photo")
        output.problem(f"{photos} left to the tagger: run it, or `tag` them")
    if options.json:
        output.data(
            {
                "edit": edit.id,
                "run": carried.run_id,
                "photos": edit.photos,
                "files": edit.files,
                "failed": len(carried.failed),
                "waiting": len(carried.waiting),
            }
        )
        return
    done = edit.photos - len(carried.failed) - len(carried.waiting)
    output.line(f"{output.count(done, 'photo')} changed in run {carried.run_id}")
