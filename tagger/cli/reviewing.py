"""The `review` command: what models propose for photos, and what a person decides.

A decision is put down and carried out like an edit.
"""

import os
from argparse import Namespace

from tagger.cli import output
from tagger.cli.editing import carry_out
from tagger.config import Config
from tagger.errors import UsageError, shown
from tagger.tracking import reviewing
from tagger.tracking.database import Database
from tagger.tracking.reviewing import Decision, Proposal


def show(options: Namespace, config: Config) -> int:
    """List the photos that wait, with what they have and what is proposed."""
    with Database.of(config) as db:
        ids = reviewing.waiting(db, _places(options))
        listed = reviewing.proposals(db, ids[: options.limit])
    if options.json:
        output.data([_as_json(one) for one in listed])
        return 0
    output.table(
        ("file", "proposed", "tags proposed", "tags now", "model"),
        [
            (
                shown(one.path),
                one.then.description,
                ", ".join(tag.name for tag in one.then.tags),
                ", ".join(tag.name for tag in one.now.tags),
                one.model,
            )
            for one in listed
        ],
    )
    output.problem(f"{output.count(len(ids), 'photo')} to review")
    return 0


def _as_json(one: Proposal) -> dict[str, object]:
    return {
        "id": one.file_id,
        "file": shown(one.path),
        "answer": one.answer_id,
        "model": one.model,
        "answered_at": one.answered_at,
        "text": one.text,
        "now": one.now,
        "proposed": one.then,
    }


def accept(options: Namespace, config: Config) -> int:
    """Have what is proposed written."""
    return _decide(options, config, Decision.ACCEPT)


def reject(options: Namespace, config: Config) -> int:
    """Use nothing of what is proposed."""
    return _decide(options, config, Decision.REJECT)


def _decide(options: Namespace, config: Config, decision: Decision) -> int:
    if bool(options.paths) is options.all:
        raise UsageError(f"review {decision}: name photos or folders, or say --all")
    places = _places(options)
    return carry_out(
        options,
        config,
        lambda db, dry: reviewing.decide_all(
            db, reviewing.waiting(db, places), decision, dry_run=dry
        ),
    )


def _places(options: Namespace) -> list[bytes]:
    return [os.path.realpath(os.fsencode(path)) for path in options.paths]
