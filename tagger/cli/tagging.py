"""The `tag` command, and `demo`, which tags the samples."""

import os
import shlex
import shutil
import threading
from argparse import Namespace
from pathlib import Path

from tagger.cli import output
from tagger.config import ROOT, Config
from tagger.errors import ModelUnavailable, UsageError, shown
from tagger.pipeline import tagging
from tagger.pipeline.run import stop_on_signals
from tagger.pipeline.tagging import Tagging
from tagger.records import ImageSnapshot, ImageState, WriteMode
from tagger.tracking import bindings
from tagger.tracking.database import Database
from tagger.vision.choose import Choice, choose

# Not come to an end in this run: it was stopped, or no server was there any more.
WAITING = (ImageState.NEW, ImageState.QUEUED)
COLUMNS = ("file", "description", "tags", "model", "seconds")


def tag(options: Namespace, config: Config) -> int:
    """Tag what is named; 0 all done, 3 some failed, 4 no usable server."""
    paths = [os.fsencode(path) for path in options.paths]
    if options.dry_run:
        return _dry_run(options, config, paths)
    outcome = _tag(
        options,
        config,
        paths,
        write_mode=WriteMode(options.write) if options.write else None,
        retag=options.retag,
        limit=options.limit,
    )
    if options.json:
        output.data(_as_json(outcome))
    else:
        _table(outcome)
        _summary(outcome)
    return _code(outcome)


def demo(options: Namespace, config: Config) -> int:
    """Copy the samples to `demo` in the data folder and tag them there."""
    folder = _fresh_samples(config.data_dir / "demo")
    # A fresh copy has lost its words, so ask again although the pictures are known.
    outcome = _tag(
        options,
        config,
        [os.fsencode(folder)],
        write_mode=WriteMode.FILE,
        retag=True,
        limit=None,
    )
    if options.json:
        output.data(_as_json(outcome))
        return _code(outcome)
    _table(outcome)
    _summary(outcome)
    output.line("")
    output.line(f"The tagged copies are in {folder}. Look at what stands in them:")
    quoted = shlex.quote(str(folder))
    output.line(f"  exiftool -XMP-dc:Subject -XMP-dc:Description {quoted}/*")
    url = f"http://{config.app.host}:{config.app.port}"
    output.line(f"Then `make start`, and open {url}.")
    return _code(outcome)


def _tag(
    options: Namespace,
    config: Config,
    paths: list[bytes],
    *,
    write_mode: WriteMode | None,
    retag: bool,
    limit: int | None,
) -> Tagging:
    choice = _choice(options, config)
    output.problem(choice.reason)
    stop = threading.Event()
    stop_on_signals(stop)
    with output.progress("tagging") as progress:
        return tagging.tag(
            config,
            paths,
            choice,
            write_mode=write_mode,
            retag=retag,
            limit=limit,
            progress=progress,
            stop=stop,
        )


def _choice(options: Namespace, config: Config) -> Choice:
    choice = choose(
        config, backend=options.backend, urls=options.server, model=options.model
    )
    if not choice.usable and not _has_bound_folders(config):
        choice.close()
        raise ModelUnavailable(choice.reason)
    return choice


def _has_bound_folders(config: Config) -> bool:
    """Whether some photos may have servers of their own, whatever the others have."""
    if not Database.is_there(config):
        return False
    with Database.of(config) as db:
        return bool(bindings.read(db).rules)


def _dry_run(options: Namespace, config: Config, paths: list[bytes]) -> int:
    planned = tagging.plan(config, paths, retag=options.retag, limit=options.limit)
    if options.json:
        output.data([shown(path) for path in planned])
        return 0
    for path in planned:
        output.line(shown(path))
    photos = output.count(len(planned), "photo")
    output.problem(f"{photos} would be worked on; nothing was changed")
    return 0


def _fresh_samples(folder: Path) -> Path:
    samples = ROOT / "data" / "samples"
    if not samples.is_dir():
        raise UsageError(f"{samples} is missing; the sample photographs belong there")
    folder.mkdir(parents=True, exist_ok=True)
    for sample in sorted(samples.iterdir()):
        if sample.suffix != ".md":
            shutil.copyfile(sample, folder / sample.name)
    return folder


def _row(image: ImageSnapshot) -> tuple[object, ...]:
    answer = (
        image.description if image.answered_at else f"{image.state}: {image.reason}"
    )
    if image.state is ImageState.REVIEW:
        answer = "waits for review"
    seconds = f"{image.seconds:.2f}" if image.seconds is not None else ""
    tags = ", ".join(tag.name for tag in image.tags)
    return Path(image.shown_path).name, answer, tags, image.model or "", seconds


def _table(outcome: Tagging) -> None:
    ended = [image for image in outcome.images if image.state not in WAITING]
    output.table(COLUMNS, [_row(image) for image in ended])


def _summary(outcome: Tagging) -> None:
    for image in outcome.failed:
        output.problem(f"{image.shown_path}: {image.state}: {image.reason}")
    if outcome.gave_up is not None:
        output.problem(str(outcome.gave_up))
    output.problem(_totals(outcome))
    states = [image.state for image in outcome.images]
    if ImageState.NOT_WRITTEN in states:
        photos = output.count(states.count(ImageState.NOT_WRITTEN), "photo")
        output.problem(
            f"{photos} described, but not written: see `python -m tagger doctor`, "
            "then run this again"
        )
    if reviewed := states.count(ImageState.REVIEW):
        photos = output.count(reviewed, "photo")
        output.problem(
            f"{photos} described, and not written before you accept that: see "
            "`python -m tagger review list`, or the Review page"
        )
    if waiting := sum(state in WAITING for state in states):
        photos = output.count(waiting, "photo")
        output.problem(f"{photos} still to do: run this again to go on")


def _totals(outcome: Tagging) -> str:
    before = outcome.untouched
    if not outcome.images:
        photos = output.count(before, "photo")
        return f"nothing to do: {photos} done before" if before else "no photos there"
    done = sum(image.state is ImageState.TAGGED for image in outcome.images)
    photos = output.count(len(outcome.images), "photo")
    text = f"{done} of {photos} tagged in {outcome.seconds:.1f} s"
    return f"{text}; {before} done before" if before else text


def _code(outcome: Tagging) -> int:
    if outcome.stopped:
        return 130
    if outcome.gave_up is not None:
        return 4
    return 3 if outcome.failed else 0


def _as_json(outcome: Tagging) -> dict[str, object]:
    return {
        "photos": [
            {
                "file": image.shown_path,
                "state": image.state,
                "reason": image.reason,
                "description": image.description,
                "tags": [
                    {"name": t.name, "source": t.source, "score": t.score}
                    for t in image.tags
                ],
                "text": image.text,
                "model": image.model,
                "seconds": image.seconds,
                "written": image.written_mode,
            }
            for image in outcome.images
        ],
        "untouched": outcome.untouched,
        "failed": len(outcome.failed),
        "seconds": round(outcome.seconds, 3),
        "stopped_by": str(outcome.gave_up) if outcome.gave_up else None,
    }
