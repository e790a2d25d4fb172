"""The command: make the photos, let everybody in, print the figures as JSON.

Who the clients are, and what they do, is told in `people`.
"""

import argparse
import json
import logging
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from scripts.bench_api import people, place, watching
from scripts.bench_api.clients import Plan
from scripts.bench_api.place import App
from scripts.bench_screens.place import fill

QUESTIONS = 400
# A second phase with half the pauses shows where it breaks.
PACES = {"as_people_do": 1.0, "pauses_halved": 0.5}
GOALS = {"thumbnail": 50.0, "search": 200.0}
# Photos enough for the whole time, starting and stopping included.
SPARE_S = 60.0

log = logging.getLogger("bench")


def main() -> None:
    options = _options()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    log.setLevel(logging.INFO)
    with tempfile.TemporaryDirectory(prefix="tagger-bench-") as made:
        figures = _measure(options.keep or Path(made), options)
    json.dump(figures, sys.stdout, indent=2)
    sys.stdout.write("\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-api", description=__doc__)
    parser.add_argument("--photos", type=int, default=100_000)
    parser.add_argument(
        "--keep", type=Path, help="a folder to keep the data in, and to use it again"
    )
    parser.add_argument("--seconds", type=float, default=120.0, help="of each phase")
    parser.add_argument("--readers", type=int, default=30)
    parser.add_argument("--searchers", type=int, default=15)
    parser.add_argument("--exporters", type=int, default=5)
    parser.add_argument(
        "--people", type=int, default=10, help="whose tokens the clients share"
    )
    parser.add_argument("--only", nargs="+", choices=PACES, default=list(PACES))
    return parser.parse_args()


def _measure(folder: Path, options: argparse.Namespace) -> dict[str, object]:
    crowd = {who: getattr(options, who) for who in ("readers", "searchers")}
    crowd["exporters"] = options.exporters
    figures: dict[str, Any] = {
        "photos": options.photos,
        "cores": os.cpu_count(),
        # Others at work make every figure worse; see whether they were.
        "load_before": os.getloadavg()[0],
        "clients": {
            **crowd,
            "people": options.people,
            "are": _told(people.__doc__ or ""),
        },
        "model_server": {"slots": place.SLOTS, "answer_ms": place.ANSWER_MS},
    }
    folder.mkdir(parents=True, exist_ok=True)
    log.info("making photos")
    fill(folder, options.photos)
    asked = place.questions(folder, QUESTIONS, options.photos)
    tokens = place.let_in(folder, options.people)
    whole_s = options.seconds * len(options.only) + SPARE_S
    place.arrive(folder, int(whole_s * place.SLOTS * 1000 / place.ANSWER_MS))
    with (
        place.model_server() as model_url,
        place.running(folder, model_url, token=tokens[0]) as app,
    ):
        for phase in options.only:
            log.info("%s, %.0f s", phase, options.seconds)
            plan = Plan(
                host="127.0.0.1",
                port=app.port,
                seconds=options.seconds,
                pace=PACES[phase],
                people=crowd,
                questions=asked,
                tokens=tokens,
            )
            figures[phase] = _phase(app, plan)
    figures["load_after"] = os.getloadavg()[0]
    return figures


def _phase(app: App, plan: Plan) -> dict[str, Any]:
    """Let all of them in for a time; what they and the app's process came to."""
    tagged = app.tagged()
    with watching.watched(app.process) as watch:
        done = subprocess.run(
            [sys.executable, "-m", "scripts.bench_api.clients"],
            cwd=place.ROOT,
            input=plan.as_json().encode(),
            stdout=subprocess.PIPE,
            check=True,
        )
    figures: dict[str, Any] = json.loads(done.stdout)
    goals = {
        kind: kind in figures and figures[kind]["p95_ms"] <= limit
        for kind, limit in GOALS.items()
    }
    return {
        "goals_met": {"no_error": not figures["errors"], **goals},
        **figures,
        "tagged_meanwhile": app.tagged() - tagged,
        **watch.figures(),
    }


def _told(text: str) -> list[str]:
    """A text as its paragraphs."""
    return [" ".join(part.split()) for part in text.split("\n\n")]


main()
