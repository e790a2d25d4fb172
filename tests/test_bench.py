"""Measuring: every figure stands beside its limit, and nothing of people's is used."""

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tagger.bench import boxes, figures, scans
from tagger.bench import run as bench_run
from tagger.bench.figures import Figure
from tagger.bench.server import MODEL
from tagger.config import Config
from tagger.errors import UsageError
from tagger.imaging import made
from tagger.imaging.look import look

ROOT = Path(__file__).resolve().parent.parent
TINY = (
    *("--files", "450", "--photos", "1", "--megapixels", "0.05"),
    *("--flow-photos", "8", "--slots", "2", "--ms", "80"),
)


def bench(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tagger", "bench", "--dir", str(tmp_path), *arguments],
        cwd=ROOT,
        env={**os.environ, "TAGGER_DATA_DIR": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        timeout=170,
    )


@pytest.mark.timeout(180)  # some six seconds, where nobody else is at work
@pytest.mark.slow
def test_a_run_gives_every_figure_with_its_limit_and_leaves_nothing(
    tmp_path: Path,
) -> None:
    out = tmp_path / "figures.json"
    answer = bench(tmp_path, *TINY, "--out", str(out))
    assert answer.returncode == 0, answer.stderr
    report = json.loads(out.read_text())
    assert report["machine"]["cpus"] == os.cpu_count()
    assert report["size"]["files"] == 450
    found = report["figures"]
    assert [figure["part"] for figure in found] == [
        *["looks"] * 6,
        *["writes"] * 7,
        *["scan"] * 3,
        *["flow"] * 4,
    ]
    for figure in found:
        assert figure["value"] > 0
        assert figure["limit"] > 0
        assert figure["ratio"] == pytest.approx(figure["value"] / figure["limit"])
        assert figure["limit_name"]
        assert figure["unit"]
    # No run can be faster than the server it asks.
    assert all(figure["ratio"] <= 1.05 for figure in found if figure["part"] == "flow")
    assert answer.stdout.count("\n") == 1 + len(found)
    assert sorted(tmp_path.iterdir()) == [out]  # no data folder, no left-overs


@pytest.mark.timeout(180)
def test_parts_can_be_chosen_and_a_misspelt_one_is_named(tmp_path: Path) -> None:
    answer = bench(tmp_path, *TINY, "--only", "scan", "--json")
    report = json.loads(answer.stdout)
    assert {figure["part"] for figure in report["figures"]} == {"scan"}
    with pytest.raises(UsageError, match="no part skan; parts are looks, writes"):
        list(bench_run.run(Config(), only=frozenset({"skan"}), size=bench_run.Size()))
    with pytest.raises(UsageError, match="--dir names a folder with room"):
        list(
            bench_run.run(
                Config(),
                only=frozenset({"scan"}),
                size=bench_run.Size(),
                place=tmp_path / "none",
            )
        )


@pytest.mark.parametrize("format", sorted(made.SUFFIXES))
def test_made_pictures_are_photos_of_their_format_and_size(
    tmp_path: Path, format: str
) -> None:
    path = made.save(tmp_path, 3, format=format, megapixels=0.1)
    found = look(bytes(path), side_px=224)
    assert found.facts.format == {"HEIF": "HEIC"}.get(format, format)
    assert found.facts.width_px * found.facts.height_px == pytest.approx(1e5, rel=0.02)
    other = made.save(tmp_path, 4, format=format, megapixels=0.1)
    assert look(bytes(other), side_px=224).identity != found.identity


def test_the_processor_time_of_children_counts(tmp_path: Path) -> None:
    burn = "sum(range(20_000_000))"
    began = figures.cpu_s()
    subprocess.run([sys.executable, "-c", burn], check=True)
    ended = figures.cpu_s() - began
    assert ended > 0.1
    child = subprocess.Popen(
        [sys.executable, "-c", f"{burn}; import sys; print(1, flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with child:
        assert child.stdout is not None
        child.stdout.readline()
        assert figures.cpu_s() - began - ended > 0.1  # while it lives, too
        child.communicate(b"\n")


def test_the_limit_of_a_scan_is_what_lies_there(tmp_path: Path) -> None:
    list(scans.measure(tmp_path, files=430))
    assert scans.listed_alone(bytes(tmp_path / "library")) == 430


def test_the_server_answers_no_faster_than_its_slots_allow() -> None:
    with boxes.server(slots=2, answer_ms=100) as url:
        body = json.dumps({"model": MODEL}).encode()
        for _ in range(3):
            with urllib.request.urlopen(f"{url}/api/chat", body, timeout=10) as answer:
                assert json.load(answer)["message"]["role"] == "assistant"
        with urllib.request.urlopen(f"{url}/stats", timeout=10) as answer:
            stats = json.load(answer)
    assert stats["answered"] == 3
    assert stats["seconds"] >= 0.3
    assert 0.3 <= stats["busy_share"] <= 0.51


def test_a_ratio_is_the_share_of_the_limit() -> None:
    figure = Figure(part="p", name="n", value=3, unit="u", limit_name="l", limit=4)
    assert figure.ratio == 0.75
