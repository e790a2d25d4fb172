"""The command line as people and scripts meet it: real processes and exit codes."""

import csv
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.ollama_double import OllamaDouble
from tests.support_pipeline import (
    as_environment,
    in_file,
    numbered,
    put_keywords,
    reads_number,
    settings,
)

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = (
    *("tag", "import", "demo", "serve", "run", "scan", "status", "search", "export"),
    *("rebuild", "doctor", "folders add", "folders list", "folders remove"),
    *("folders activate", "folders deactivate", "folders set", "runs", "history"),
    *("undo", "verify"),
    *(
        "tags add",
        "tags remove",
        "tags import",
        "tags rename",
        "tags merge",
        "tags delete",
    ),
    *("describe", "synonyms list", "synonyms add", "synonyms remove", "bans list"),
    *("bans add", "bans remove", "conflicts", "costs", "queue list", "queue pause"),
    *("queue resume", "queue cancel", "queue add", "queue first", "queue now"),
    *("queue retry", "bench", "sql", "facets", "duplicates"),
    *("review list", "review accept", "review reject"),
)


@pytest.fixture
def ollama() -> Iterator[OllamaDouble]:
    with OllamaDouble(reads_number) as double:
        yield double


@pytest.fixture
def environment(tmp_path: Path, ollama: OllamaDouble) -> Mapping[str, str]:
    for number in (1, 2, 3):
        numbered(tmp_path / "photos" / f"{number}.jpg", number)
    return as_environment(settings(tmp_path, ollama.url))


def tagger(
    environment: Mapping[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tagger", *arguments],
        cwd=ROOT,
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=55,
    )


def said(answer: subprocess.CompletedProcess[str]) -> object:
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(
    environment: Mapping[str, str], command: str
) -> None:
    answer = tagger(environment, *command.split(), "--help")
    assert answer.returncode == 0
    assert "usage:" in answer.stdout


def test_photos_are_tagged_found_and_exported(
    tmp_path: Path, environment: Mapping[str, str]
) -> None:
    photos = str(tmp_path / "photos")
    tagged = said(tagger(environment, "tag", photos, "--json"))
    assert isinstance(tagged, dict)
    assert [photo["state"] for photo in tagged["photos"]] == ["tagged"] * 3
    found = said(tagger(environment, "search", 'tag:"number 2"', "--json"))
    assert isinstance(found, list)
    assert [Path(photo["path"]).name for photo in found] == ["2.jpg"]
    assert tagger(environment, "search", "elephant").returncode == 1
    out = tmp_path / "out.csv"
    assert tagger(environment, "export", str(out)).returncode == 0
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["description"] for row in rows} == {
        f"This is picture {number}." for number in (1, 2, 3)
    }
    assert tagger(environment, "rebuild").returncode == 0
    status = said(tagger(environment, "status", "--json"))
    assert isinstance(status, dict)
    assert status["status"]["tagged"] == 3


def test_a_failed_photo_is_named_and_the_exit_code_is_3(
    tmp_path: Path, environment: Mapping[str, str]
) -> None:
    broken = tmp_path / "photos" / "broken.jpg"
    broken.write_text("no picture")
    answer = tagger(environment, "tag", str(tmp_path / "photos"))
    assert answer.returncode == 3
    assert "broken.jpg: failed: " in answer.stderr
    assert "3 of 4 photos tagged" in answer.stderr


def test_bad_usage_and_bad_settings_are_2(
    tmp_path: Path, environment: Mapping[str, str]
) -> None:
    answer = tagger(environment, "tag", str(tmp_path / "gone"))
    assert answer.returncode == 2
    assert "no such folder" in answer.stderr
    assert tagger(environment, "tag").returncode == 2
    bad = {**environment, "TAGGER_SCAN__INTERVALL": "1"}
    answer = tagger(bad, "status")
    assert answer.returncode == 2
    assert answer.stderr.count("\n") == 1
    answer = tagger(environment, "export", str(tmp_path / "out.docx"))
    assert answer.returncode == 2
    answer = tagger(environment, "search", "beach -colour:red")
    assert answer.returncode == 2
    assert answer.stderr.endswith("\nbeach -colour:red\n       ^\n")


def test_a_limit_below_one_is_refused_in_words(
    environment: Mapping[str, str],
) -> None:
    answer = tagger(environment, "tag", "--limit", "0", ".")
    assert answer.returncode == 2
    assert "must be a whole number from 1 on, not '0'" in answer.stderr


def test_a_port_in_use_is_2_and_names_another(
    environment: Mapping[str, str],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answer = tagger({**environment, "PORT": str(port)}, "serve")
    assert answer.returncode == 2
    assert f"port {port}: another program is there" in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_a_reader_that_goes_away_is_no_fault(
    tmp_path: Path, environment: Mapping[str, str]
) -> None:
    command = f"{sys.executable} -m tagger tag --dry-run {tmp_path}/photos | true"
    answer = subprocess.run(
        ["sh", "-c", command], cwd=ROOT, env=dict(environment), capture_output=True
    )
    assert b"Traceback" not in answer.stderr
    assert b"BrokenPipe" not in answer.stderr


def test_doing_nothing_is_said(tmp_path: Path, environment: Mapping[str, str]) -> None:
    (tmp_path / "empty").mkdir()
    answer = tagger(environment, "tag", str(tmp_path / "empty"))
    assert answer.returncode == 0
    assert "no photos there" in answer.stderr
    photos = str(tmp_path / "photos")
    assert "3 of 3 photos tagged" in tagger(environment, "tag", photos).stderr
    again = tagger(environment, "tag", photos)
    assert "nothing to do: 3 photos done before" in again.stderr


def test_a_missing_model_is_4_and_says_what_to_pull(
    tmp_path: Path, environment: Mapping[str, str], ollama: OllamaDouble
) -> None:
    ollama.models.clear()
    answer = tagger(environment, "tag", str(tmp_path / "photos"))
    assert answer.returncode == 4
    assert "ollama pull gemma3:4b" in answer.stderr


def test_a_server_that_is_not_there_is_4(
    tmp_path: Path, environment: Mapping[str, str]
) -> None:
    answer = tagger(
        environment,
        *("tag", str(tmp_path / "photos"), "--backend", "ollama"),
        *("--server", "http://127.0.0.1:9"),
    )
    assert answer.returncode == 4
    assert "127.0.0.1:9" in answer.stderr


def test_a_dry_run_lists_and_changes_nothing(
    tmp_path: Path, environment: Mapping[str, str], ollama: OllamaDouble
) -> None:
    before = {p.name: p.read_bytes() for p in (tmp_path / "photos").iterdir()}
    listed = said(
        tagger(environment, "tag", str(tmp_path / "photos"), "--dry-run", "--json")
    )
    assert isinstance(listed, list)
    assert len(listed) == 3
    assert ollama.count == 0
    assert {p.name: p.read_bytes() for p in (tmp_path / "photos").iterdir()} == before
    assert not (tmp_path / "data" / "tracking.db").exists()


def test_words_of_a_lost_database_are_imported_and_what_failed_is_3(
    tmp_path: Path, environment: Mapping[str, str], ollama: OllamaDouble
) -> None:
    photos = tmp_path / "photos"
    said(tagger(environment, "tag", str(photos), "--limit", "2", "--json"))
    shutil.rmtree(tmp_path / "data")
    foreseen = tagger(environment, "import", str(photos), "--dry-run")
    assert "2 photos with an answer of gemma3:4b" in foreseen.stdout
    assert "2 of 3 photos would be imported" in foreseen.stderr
    assert not (tmp_path / "data").exists()
    found = said(tagger(environment, "import", str(photos), "--json"))
    assert isinstance(found, dict)
    assert (found["imported"], found["without_words"], found["failed"]) == (2, 1, [])
    (photos / "torn.jpg").write_bytes(b"\xff\xd8\xff no photo")
    os.utime(photos / "torn.jpg", (1, 1))
    answer = tagger(environment, "import", str(photos))
    assert (answer.returncode, answer.stdout) == (3, "1 photo failed\n")
    assert "torn.jpg: " in answer.stderr
    assert "3 photos known before" in answer.stderr
    assert tagger(environment, "import", str(tmp_path / "none")).returncode == 2
    assert ollama.count == 2


def test_folders_are_added_listed_switched_scanned_and_removed(
    tmp_path: Path, environment: Mapping[str, str]
) -> None:
    photos = str(tmp_path / "photos")
    [added] = said(tagger(environment, "folders", "add", photos, "--json"))  # type: ignore[misc]
    assert added["write_mode"] == "file"
    assert tagger(environment, "folders", "add", photos).returncode == 2
    answer = tagger(environment, "scan", photos)
    assert "3 photos, 3 new" in answer.stdout
    [off] = said(tagger(environment, "folders", "deactivate", photos, "--json"))  # type: ignore[misc]
    assert off["active"] is False
    assert tagger(environment, "folders", "activate", str(added["id"])).returncode == 0
    [gone] = said(tagger(environment, "folders", "remove", photos, "--json"))  # type: ignore[misc]
    assert gone["path"] == photos
    assert said(tagger(environment, "folders", "list", "--json")) == []
    assert len(os.listdir(photos)) == 3


def test_a_folders_words_are_sent_elsewhere(
    tmp_path: Path, environment: Mapping[str, str]
) -> None:
    photos, words = str(tmp_path / "photos"), str(tmp_path / "words")
    added = tagger(environment, "folders", "add", photos, "--mirror", words)
    assert added.returncode == 0, added.stderr
    assert f"\tmirror: {words}\t" in added.stdout
    changed = tagger(environment, "folders", "set", photos, "--write", "sidecar")
    assert "beside the photos from now on" in changed.stderr
    assert "what was written so far stays where it is" in changed.stderr
    assert "\tsidecar\t" in changed.stdout
    [common] = said(  # type: ignore[misc]
        tagger(environment, *("folders", "set", "1", "--json"), "--write", "mirror")
    )
    assert (common["write_mode"], common["mirror"]) == ("mirror", words)
    back = tagger(
        environment, *("folders", "set", photos, "--write", "mirror", "--mirror", "")
    )
    assert f"{tmp_path}/data/mirror{photos}" in back.stdout
    refused = tagger(
        environment, *("folders", "set", photos, "--write", "file", "--mirror", words)
    )
    assert refused.returncode == 2
    assert "only where words go into a mirror" in refused.stderr
    assert tagger(environment, "folders", "set", photos).returncode == 2


def test_a_folder_gets_hours_and_a_pace_of_its_own(
    tmp_path: Path, environment: Mapping[str, str]
) -> None:
    photos = str(tmp_path / "photos")
    tagger(environment, "folders", "add", photos)
    hour = int(time.strftime("%H", time.localtime(time.time() + 7200)))
    hours = f"{hour:02d}:00-{(hour + 1) % 24:02d}:00"
    changed = tagger(
        environment,
        *("folders", "set", photos, "--hours", hours, "--scan-every", "1440"),
    )
    assert f"\t{hours}, scan every 1440 min\t" in changed.stdout
    assert f"waits for {hour:02d}:00" in changed.stdout
    tagger(environment, "scan", photos)
    assert (
        f"3 photos; it waits for {hour:02d}:00" in tagger(environment, "status").stdout
    )
    [waits] = said(tagger(environment, "status", "--json"))["waiting"]  # type: ignore[index]
    assert (waits["folder"], waits["photos"]) == (photos, 3)
    wrong = tagger(environment, "folders", "set", photos, "--hours", "at night")
    assert wrong.returncode == 2
    assert "two times of day" in wrong.stderr
    wrong = tagger(environment, "folders", "set", photos, "--scan-every", "often")
    assert "a number of minutes" in wrong.stderr
    [plain] = said(  # type: ignore[misc]
        tagger(
            environment,
            *("folders", "set", photos, "--hours", "", "--scan-every", "", "--json"),
        )
    )
    assert (plain["hours"], plain["scan_interval_min"]) == (None, None)


def test_the_demo_tags_the_samples_with_no_server(tmp_path: Path) -> None:
    environment = as_environment(settings(tmp_path, model={"backend": "auto"}))
    environment["TAGGER_SERVERS"] = '[{"url": "http://127.0.0.1:9"}]'
    answer = tagger(environment, "demo", "--json")
    photos = {
        Path(photo["file"]).name: {tag["name"] for tag in photo["tags"]}
        for photo in said(answer)["photos"]  # type: ignore[index]
    }
    assert len(photos) == 15
    assert "built-in model" in answer.stderr
    assert "dog" in photos["friends.jpg"]
    assert "cat" in photos["chelsea.png"]
    assert "mountain" in photos["picos.heic"]
    assert "coffee" in photos["coffee.png"]


def test_the_doctor_says_what_to_do(
    tmp_path: Path, environment: Mapping[str, str], ollama: OllamaDouble
) -> None:
    found = said(tagger(environment, "doctor", "--json"))
    assert {finding["name"] for finding in found} >= {  # type: ignore[union-attr, call-overload]
        *("exiftool", "free disk", "catalogue", "data folder"),
        f"model server {ollama.url}",
    }
    ollama.models.clear()
    broken = {**environment, "TAGGER_METADATA__EXIFTOOL": str(tmp_path / "none")}
    answer = tagger(broken, "doctor")
    assert answer.returncode == 1
    assert "libimage-exiftool-perl" in answer.stdout
    assert "ollama pull gemma3:4b" in answer.stdout


def test_the_doctor_tells_an_exiftool_that_fails_from_one_that_is_missing(
    tmp_path: Path, environment: Mapping[str, str]
) -> None:
    fails = tmp_path / "exiftool"
    fails.write_text("#!/bin/sh\necho no perl here >&2\nexit 2\n")
    fails.chmod(0o755)
    broken = {**environment, "TAGGER_METADATA__EXIFTOOL": str(fails)}
    answer = tagger(broken, "doctor")
    assert answer.returncode == 1
    assert "ends with code 2: no perl here" in answer.stdout
    assert "metadata.exiftool" in answer.stdout
    assert "apt install" not in answer.stdout


def test_hostile_words_cannot_reach_the_terminal(
    tmp_path: Path, environment: Mapping[str, str]
) -> None:
    name = "\x1b]0;owned\x07.jpg"
    numbered(tmp_path / "photos" / name, 9)
    answer = tagger(environment, "tag", str(tmp_path / "photos"))
    assert answer.returncode == 0
    assert "\x1b" not in answer.stdout + answer.stderr


def test_edits_are_carried_out_undone_and_verified(
    tmp_path: Path, environment: Mapping[str, str]
) -> None:
    photo = tmp_path / "photos" / "1.jpg"
    said(tagger(environment, "tag", str(tmp_path / "photos"), "--json"))
    asked = said(
        tagger(environment, "tags", "rename", "bar code", "x", "--dry-run", "--json")
    )
    assert asked == {"photos": 3, "files": 3}
    assert in_file(photo)["XMP-dc:Subject"] == ["number 1", "bar code"]
    done = said(tagger(environment, "tags", "rename", "bar code", "stripes", "--json"))
    assert isinstance(done, dict)
    assert (done["photos"], done["failed"], done["waiting"]) == (3, 0, 0)
    assert in_file(photo)["XMP-dc:Subject"] == ["number 1", "stripes"]
    assert tagger(environment, "verify").returncode == 0
    put_keywords(photo, "mine")
    assert tagger(environment, "verify", str(photo)).returncode == 3
    undo = ("undo", "--run", str(done["run"]), "--json")
    tried = tagger(environment, *undo, "--dry-run")
    undone = tagger(environment, *undo)
    assert (tried.returncode, undone.returncode) == (3, 3)
    planned, outcome = json.loads(tried.stdout), json.loads(undone.stdout)
    assert (planned.pop("run"), outcome.pop("run")) == (None, 3)
    assert planned == outcome
    assert len(outcome["each"]) == 3
    assert {Path(one["file"]).name for one in outcome["refused"]} == {"1.jpg"}
    assert in_file(photo)["XMP-dc:Subject"] == ["mine"]
    runs = said(tagger(environment, "runs", "--json"))
    assert isinstance(runs, list)
    assert [run["kind"] for run in runs] == ["undo", "edit", "tag"]


def test_answers_wait_until_they_are_accepted_or_rejected(
    tmp_path: Path, environment: Mapping[str, str]
) -> None:
    photos = tmp_path / "photos"
    added = tagger(environment, "folders", "add", str(photos), "--review", "on")
    assert added.returncode == 0, added.stderr
    tagged = tagger(environment, "tag", str(photos))
    assert "3 photos described, and not written before you accept" in tagged.stderr
    assert in_file(photos / "1.jpg")["XMP-dc:Subject"] == []
    listed = said(tagger(environment, "review", "list", str(photos), "--json"))
    assert [one["proposed"]["description"] for one in listed] == [  # type: ignore[index]
        f"This is picture {number}." for number in (1, 2, 3)
    ]
    assert tagger(environment, "review", "accept").returncode == 2
    done = tagger(environment, "review", "accept", str(photos / "1.jpg"))
    assert (done.returncode, done.stdout.split()[:2]) == (0, ["1", "photo"])
    off = tagger(environment, "folders", "set", str(photos), "--review", "off")
    assert "2 photos there still wait for review" in off.stderr
    assert tagger(environment, "review", "reject", "--all").returncode == 0
    assert said(tagger(environment, "review", "list", "--json")) == []
    assert in_file(photos / "1.jpg")["XMP-dc:Subject"] == ["number 1", "bar code"]
    assert in_file(photos / "2.jpg")["XMP-dc:Subject"] == []
    assert tagger(environment, "verify").returncode == 0


def test_a_bad_time_and_an_unknown_tag_are_bad_usage(
    environment: Mapping[str, str],
) -> None:
    assert tagger(environment, "undo", "--since", "yesterday").returncode == 2
    assert tagger(environment, "undo").returncode == 2
    assert tagger(environment, "tags", "delete", "unheard of").returncode == 2
