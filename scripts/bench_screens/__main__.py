"""The command: make the photos, look at the screens, print the figures as JSON."""

import argparse
import json
import logging
import os
import sys
import tempfile
from pathlib import Path

from scripts.bench_screens import crowd, place, visits

PARTS = ("visits", "crowd")


def main() -> None:
    options = _options()
    logging.basicConfig(level=logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="tagger-bench-") as made:
        figures = _measure(options.keep or Path(made), options)
    json.dump(figures, sys.stdout, indent=2)
    sys.stdout.write("\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-screens", description=__doc__)
    parser.add_argument("--photos", type=int, default=100_000)
    parser.add_argument(
        "--keep", type=Path, help="a folder to keep the data in, and to use it again"
    )
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    return parser.parse_args()


def _measure(folder: Path, options: argparse.Namespace) -> dict[str, object]:
    figures: dict[str, object] = {
        "photos": options.photos,
        "cores": os.cpu_count(),
        "load_before": os.getloadavg()[0],
    }
    folder.mkdir(parents=True, exist_ok=True)
    place.fill(folder, options.photos)
    with place.chromium() as browser:
        if "visits" in options.only:
            figures["visits"] = visits.measure(browser, folder)
        if "crowd" in options.only:
            with place.running(folder) as app:
                figures["crowd"] = crowd.measure(
                    browser, app, visitors=options.visitors, minutes=options.minutes
                )
    figures["load_after"] = os.getloadavg()[0]
    return figures


main()
