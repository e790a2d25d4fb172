"""The `bench` command: how fast the program is here, each figure beside its limit."""

import json
import os
import platform
import time
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import tagger
from tagger.bench import run
from tagger.bench.figures import Figure
from tagger.cli import output
from tagger.config import Config
from tagger.errors import UsageError

COLUMNS = ("part", "of", "figure", "", "of the limit", "limit")


def bench(options: Namespace, config: Config) -> int:
    """Measure, print, and write JSON where that is wanted."""
    size = run.Size(
        megapixels=options.megapixels,
        photos=options.photos,
        files=options.files,
        flow_photos=options.flow_photos,
        slots=options.slots,
        answer_ms=options.ms,
    )
    only = frozenset(options.only.split(",")) if options.only else frozenset(run.PARTS)
    began, figures = time.monotonic(), []
    for figure in run.run(
        config, only=only, size=size, place=Path(options.dir) if options.dir else None
    ):
        figures.append(figure)
        output.problem(_line(figure))
    report = {
        "version": tagger.__version__,
        "python": platform.python_version(),
        "machine": {
            "system": f"{platform.system()} {platform.release()}",
            "architecture": platform.machine(),
            "cpus": os.cpu_count(),
        },
        "size": asdict(size),
        "seconds": round(time.monotonic() - began, 1),
        "figures": [{**asdict(one), "ratio": one.ratio} for one in figures],
    }
    if options.out:
        _save(Path(options.out), report)
    if options.json:
        output.data(report)
    else:
        _table(figures)
    return 0


def _line(figure: Figure) -> str:
    return (
        f"{figure.part}: {figure.name}: {_number(figure.value)} {figure.unit}, "
        f"{figure.ratio:.0%} of {figure.limit_name}"
    )


def _table(figures: Sequence[Figure]) -> None:
    output.table(
        COLUMNS,
        [
            (
                one.part,
                one.name,
                _number(one.value),
                one.unit,
                f"{one.ratio:.1%}",
                f"{_number(one.limit)}: {one.limit_name}",
            )
            for one in figures
        ],
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _save(path: Path, report: dict[str, object]) -> None:
    try:
        path.write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
