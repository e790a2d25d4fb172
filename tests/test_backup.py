"""A library is backed up while it is in use, wiped, and put back as it was."""

import os
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.ollama_double import OllamaDouble
from tests.support_pipeline import in_file, reads_number, three_numbered
from tests.support_web import ROOT, AppProcess, app_process, settings_file, until

pytestmark = pytest.mark.slow


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return three_numbered(tmp_path / "photos", "Oma")


@pytest.fixture
def app(tmp_path: Path, photos: Path) -> Iterator[AppProcess]:
    """The program at work, with three photos tagged and a search saved."""
    with OllamaDouble(reads_number) as ollama:
        server = f'[[servers]]\nurl = "{ollama.url}"\nmodel = "gemma3:4b"\n'
        settings_file(tmp_path, server)
        with app_process(tmp_path) as running:
            ask(running, "POST", "/folders", {"path": str(photos)})
            until(lambda: stats(running)["tagged"] == 3, within_s=90)
            saved = {"name": "Codes", "query": 'tag:"bar code"'}
            ask(running, "PUT", "/searches", saved)
            yield running


def ask(app: AppProcess, method: str, path: str, body: Any = None) -> Any:
    answer = httpx.request(
        method, f"{app.url}/api{path}", json=body, trust_env=False, timeout=60
    )
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


def stats(app: AppProcess) -> Mapping[str, int]:
    found: Mapping[str, int] = ask(app, "GET", "/images/stats")
    return found


def known(app: AppProcess) -> Any:
    """All photos with all that is known of them, and what people saved."""
    ids = [one["id"] for one in ask(app, "GET", "/images?limit=500")["images"]]
    images = [ask(app, "GET", f"/images/{one}") for one in sorted(ids)]
    for image in images:
        image.pop("cost")
    return images, ask(app, "GET", "/tags"), ask(app, "GET", "/searches")


def command(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tagger", *arguments],
        cwd=ROOT,
        env={**os.environ, "TAGGER_CONFIG": str(settings_file(tmp_path))},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_library_that_was_wiped_while_the_app_runs_comes_back_equal(
    tmp_path: Path, app: AppProcess, photos: Path
) -> None:
    before = known(app)
    out = tmp_path / "backups" / "one.zip"
    done = command(tmp_path, "backup", str(out))
    assert done.returncode == 0, done.stderr
    assert "3 photos" in done.stderr
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert [path.name for path in out.parent.iterdir()] == ["one.zip"]

    [folder] = ask(app, "GET", "/folders")
    ask(app, "DELETE", f"/folders/{folder['id']}")
    ask(app, "DELETE", "/searches?name=Codes")
    until(lambda: stats(app)["total"] == 0)

    done = command(tmp_path, "restore", str(out))
    assert done.returncode == 0, done.stderr
    assert "settings stay as they were" in done.stderr
    until(lambda: stats(app)["tagged"] == 3, within_s=60)
    assert known(app) == before

    # The tagger is at work again, and knows whose word is whose.
    extra = three_numbered(photos / "more", "Opa")
    ask(app, "POST", f"/folders/{folder['id']}/scan", {})
    until(lambda: stats(app)["tagged"] == 6, within_s=90)
    assert in_file(photos / "1.jpg")["XMP-dc:Subject"].count("Oma") == 1
    assert in_file(extra / "1.jpg")["XMP-dc:Subject"].count("Opa") == 1


def test_what_is_no_backup_is_refused_and_changes_nothing(
    tmp_path: Path, app: AppProcess
) -> None:
    before = known(app)
    text, cut, other = (tmp_path / f"{name}.zip" for name in ("text", "cut", "other"))
    text.write_text("no backup")
    command(tmp_path, "backup", str(cut))
    cut.write_bytes(cut.read_bytes()[:-2000])
    with zipfile.ZipFile(other, "w") as packed:
        packed.writestr("about.json", '{"made_at": "2026"}')
        packed.writestr("tracking.db", "no database")
    for path, why in (
        (text, "no backup of Image Tagger"),
        (cut, "no backup of Image Tagger"),
        (other, "nothing was changed"),
        (tmp_path / "gone.zip", "there is no such file"),
    ):
        done = command(tmp_path, "restore", str(path))
        assert done.returncode != 0
        assert why in done.stderr
        assert "Traceback" not in done.stderr
    assert known(app) == before


def test_only_the_command_line_may_restore(tmp_path: Path, app: AppProcess) -> None:
    body = {"path": str(tmp_path / "x.zip")}
    answer = httpx.post(f"{app.url}/api/restore", json=body, trust_env=False)
    assert answer.status_code == 403


def test_beside_another_tagger_nothing_is_restored_and_without_one_it_is(
    tmp_path: Path, photos: Path
) -> None:
    assert command(tmp_path, "tag", str(photos)).returncode == 0
    out = tmp_path / "one.zip"
    assert command(tmp_path, "backup", str(out)).returncode == 0
    tagger = subprocess.Popen(
        [sys.executable, "-m", "tagger", "run"],
        cwd=ROOT,
        env={**os.environ, "TAGGER_CONFIG": str(settings_file(tmp_path))},
    )
    try:
        until(lambda: "idle" in command(tmp_path, "status").stdout, within_s=60)
        done = command(tmp_path, "restore", str(out))
        assert done.returncode != 0
        assert "a tagger is at work on this library" in done.stderr
    finally:
        tagger.terminate()
        tagger.wait()
    (tmp_path / "config.toml").unlink()
    done = command(tmp_path, "restore", str(out), "--settings")
    assert done.returncode == 0, done.stderr
    assert "with its settings" in done.stderr
    assert command(tmp_path, "verify").returncode == 0


def test_without_a_library_there_is_nothing_to_back_up(tmp_path: Path) -> None:
    done = command(tmp_path, "backup", str(tmp_path / "one.zip"))
    assert done.returncode == 2
    assert "there is no library" in done.stderr
