"""The `import` command."""

import os
import threading
from argparse import Namespace

from tagger.cli import output
from tagger.config import Config
from tagger.errors import shown
from tagger.pipeline import importing, importplan
from tagger.pipeline.importing import Imported
from tagger.pipeline.run import stop_on_signals

SOME_FAILED, STOPPED = 3, 130


def bring_in(options: Namespace, config: Config) -> int:
    """Take over what files say of their words; 3 if some could not be read."""
    paths = [os.fsencode(path) for path in options.paths]
    stop = threading.Event()
    with output.progress("importing") as progress:
        if options.dry_run:
            outcome = importplan.plan(config, paths, progress=progress)
        else:
            stop_on_signals(stop)
            outcome = importing.bring_in(config, paths, progress=progress, stop=stop)
    if options.json:
        output.data(_as_json(outcome))
    else:
        _say(outcome)
    for path, reason in outcome.failed.items():
        output.problem(f"{shown(path)}: {reason}")
    _remark(outcome, dry_run=options.dry_run)
    if outcome.stopped:
        return STOPPED
    return SOME_FAILED if outcome.failed else 0


def _say(outcome: Imported) -> None:
    """One line for each kind of photo, those that there are."""
    for model, count in outcome.models.items():
        output.line(f"{output.count(count, 'photo')} with an answer of {model}")
    if outcome.persons:
        photos = output.count(outcome.persons, "photo")
        output.line(f"{photos} with a person's words only")
    if outcome.wordless:
        output.line(f"{output.count(outcome.wordless, 'photo')} without words")
    if outcome.failed:
        output.line(f"{output.count(len(outcome.failed), 'photo')} failed")


def _remark(outcome: Imported, *, dry_run: bool) -> None:
    for folder in outcome.beside:
        output.problem(
            f"{shown(folder)}: words stand in sidecars only, so later ones go there too"
        )
    waiting = outcome.persons + outcome.wordless
    if waiting:
        photos = output.count(waiting, "photo")
        output.problem(f"{photos} in line for a tagger: `tag` asks a model about them")
    if outcome.to_write:
        photos = output.count(outcome.to_write, "photo")
        output.problem(f"{photos} to be written anew by the next tagger")
    output.problem(_totals(outcome, dry_run=dry_run))
    if outcome.answered:
        output.problem(
            "runs, timings, tokens and the history for undo are in no file, and do not "
            "come back"
        )


def _totals(outcome: Imported, *, dry_run: bool) -> str:
    before = output.count(outcome.untouched, "photo")
    if not outcome.photos:
        known = f"{before} known before"
        return f"nothing to do: {known}" if outcome.untouched else "no photos there"
    photos = output.count(len(outcome.photos), "photo")
    done = "would be imported; nothing was changed" if dry_run else "imported"
    text = f"{outcome.answered} of {photos} {done} in {outcome.seconds:.1f} s"
    return f"{text}; {before} known before" if outcome.untouched else text


def _as_json(outcome: Imported) -> dict[str, object]:
    return {
        "imported": outcome.answered,
        "models": outcome.models,
        "person_only": outcome.persons,
        "without_words": outcome.wordless,
        "to_write": outcome.to_write,
        "failed": [
            {"file": shown(path), "reason": reason}
            for path, reason in outcome.failed.items()
        ],
        "untouched": outcome.untouched,
        "sidecar_folders": [shown(path) for path in outcome.beside],
        "seconds": round(outcome.seconds, 3),
    }
