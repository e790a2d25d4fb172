"""Whole: what goes through every photo, each in a process of its own.

So the peak of memory is that of the one work alone.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

from scripts.bench_catalogue import library
from scripts.bench_catalogue.timing import watched_memory
from tagger.catalogue import export, intake
from tagger.catalogue.questions import Wanted
from tagger.catalogue.store import Catalogue
from tagger.tracking.database import Database

MIB = 2**20


def opened(data: Path) -> Catalogue:
    return Catalogue.open(data / "catalogue.duckdb", data / "search")


def apart(work: str, data: Path) -> dict[str, object]:
    """Do one of `WORKS` in a new process; its figures."""
    done = subprocess.run(
        [sys.executable, "-m", "scripts.bench_catalogue.whole", work, str(data)],
        stdout=subprocess.PIPE,
        check=True,
    )
    figures: dict[str, object] = json.loads(done.stdout)
    return figures


def _rebuild(data: Path) -> dict[str, object]:
    told: list[int] = []
    with (
        Database.open(library.database(data)) as db,
        opened(data) as catalogue,
        watched_memory() as memory,
    ):
        began, spent_s = time.perf_counter(), time.process_time()
        photos = intake.rebuild(catalogue, db, lambda done, _total: told.append(done))
        took_s, cpu_s = time.perf_counter() - began, time.process_time() - spent_s
    return {
        "photos": photos,
        "seconds": round(took_s, 1),
        "cpu_seconds": round(cpu_s, 1),
        "photos_per_s": round(photos / took_s),
        "peak_rss_mib": round(memory.peak / MIB),
        "progress_reports": len(told),
        "bytes_a_photo": _bytes(data) // max(photos, 1),
        "catalogue_mib": round((data / "catalogue.duckdb").stat().st_size / MIB, 1),
        "index_mib": round(_size(data / "search") / MIB, 1),
    }


def _export(data: Path, format: str) -> dict[str, object]:
    out = data / f"export.{format}"
    with opened(data) as catalogue:
        _warm(catalogue)
        with watched_memory() as memory:
            began, spent_s = time.perf_counter(), time.process_time()
            photos = export.export(catalogue, Wanted(), out, format)
            took_s = time.perf_counter() - began
            spent_s = time.process_time() - spent_s
    figures: dict[str, object] = {
        "photos": photos,
        "seconds": round(took_s, 2),
        "cpu_seconds": round(spent_s, 2),
        "rss_growth_mib": memory.growth_mib,
        "file_mib": round(out.stat().st_size / MIB, 1),
    }
    out.unlink()
    return figures


def _warm(catalogue: Catalogue) -> None:
    """Let DuckDB keep what it reads, up to its limit, as in an app that is in use."""
    with catalogue.cursor() as cursor:
        cursor.execute("SELECT max(COLUMNS(*)::VARCHAR) FROM images").fetchall()


def _bytes(data: Path) -> int:
    wal = data / "catalogue.duckdb.wal"
    left = wal.stat().st_size if wal.exists() else 0
    return (data / "catalogue.duckdb").stat().st_size + left + _size(data / "search")


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


WORKS = {
    "rebuild": _rebuild,
    "parquet": lambda data: _export(data, "parquet"),
    "csv": lambda data: _export(data, "csv"),
}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(WORKS[sys.argv[1]](Path(sys.argv[2]))))
