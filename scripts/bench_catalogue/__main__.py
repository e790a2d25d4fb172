"""The command: make the photos, measure, print the figures as JSON."""

import argparse
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.bench_catalogue import arriving, asking, resembling, whole
from scripts.bench_catalogue.library import Library

PARTS = ("rebuild", "ask", "alike", "arrive", "export")

log = logging.getLogger("bench")


def main() -> None:
    options = _options()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    with _folder(options.keep) as folder:
        figures = _measure(folder, options)
    json.dump(figures, sys.stdout, indent=2)
    sys.stdout.write("\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-catalogue", description=__doc__)
    parser.add_argument("--photos", type=int, default=1_000_000)
    parser.add_argument(
        "--keep", type=Path, help="a folder to keep the data in, and to use it again"
    )
    parser.add_argument(
        "--seconds", type=float, default=15.0, help="how long reads are timed"
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    return parser.parse_args()


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="tagger-bench-") as made:
        yield Path(made)


def _measure(folder: Path, options: argparse.Namespace) -> dict[str, object]:
    photos, only = options.photos, options.only
    figures: dict[str, object] = {
        "photos": photos,
        "cores": os.cpu_count(),
        # Others at work make every figure worse; see whether they were.
        "load_before": os.getloadavg()[0],
    }
    source = Library(folder)
    data = source.data
    _fill(source, photos)
    if "rebuild" in only or not (data / "catalogue.duckdb").exists():
        log.info("rebuilding")
        figures["rebuild"] = whole.apart("rebuild", data)
        log.info("%s", figures["rebuild"])
    with whole.opened(data) as catalogue:
        if "ask" in only:
            log.info("asking")
            figures |= asking.measure(catalogue)
        if "alike" in only:
            log.info("looking for what is alike")
            figures["alike"] = resembling.measure(catalogue, source)
        if "arrive" in only:
            log.info("taking in")
            figures |= arriving.measure(catalogue, source, for_s=options.seconds)
    if "export" in only:
        log.info("exporting")
        figures["export"] = {
            kind: whole.apart(kind, data) for kind in ("parquet", "csv")
        }
    figures["load_after"] = os.getloadavg()[0]
    return figures


def _fill(source: Library, photos: int) -> None:
    """Make the photos that are missing."""
    if source.count < photos:
        log.info("making %s photos", photos - source.count)
        began = time.monotonic()
        source.add(photos - source.count)
        log.info("made in %.0f s", time.monotonic() - began)


main()
