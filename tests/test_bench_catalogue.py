"""The catalogue's bench measures what it says, on a library small enough for a test."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.slow
def test_the_bench_of_the_catalogue_measures_everything(tmp_path: Path) -> None:
    answer = subprocess.run(
        [
            *(sys.executable, "-m", "scripts.bench_catalogue", "--photos", "500"),
            *("--seconds", "0.5", "--keep", str(tmp_path)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr
    figures = json.loads(answer.stdout)
    assert figures["rebuild"]["photos"] == 500
    for part in ("search", "facets", "completion"):
        assert 0 < figures[part]["p50_ms"] <= figures[part]["p95_ms"]
        assert figures[part]["like"]["calls"] > 0
    orders = {"newest", "oldest", "taken", "name", "size", "rating", "quality"}
    assert set(figures["deep_page"]) == orders
    assert figures["alike"]["vectors"] == 500
    assert all(part["p50_ms"] > 0 for part in figures["alike"]["like"].values())
    assert figures["intake"]["results"] == 50
    assert figures["intake"]["results_per_s"] > 0
    assert 0 < figures["findable_s"]["max"] < 10
    assert figures["reads"]["at_full_intake"]["calls"] > 0
    # What came in meanwhile is in the exports too: bulk, markers, stream, bulk.
    exported = {kind: part["photos"] for kind, part in figures["export"].items()}
    assert exported["csv"] == exported["parquet"] >= 500 + 50 + 5 + 150
    again = subprocess.run(
        [
            *(sys.executable, "-m", "scripts.bench_catalogue", "--photos", "500"),
            *("--only", "export", "--keep", str(tmp_path)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert json.loads(again.stdout)["export"]["csv"]["photos"] == exported["csv"]
