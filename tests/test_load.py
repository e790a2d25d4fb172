"""Load: many large photos against a server with a few slots."""

import os
import time
from pathlib import Path

import pytest

from tagger.pipeline.tagging import tag
from tagger.vision.choose import choose
from tests.ollama_double import OllamaDouble
from tests.support_pipeline import in_file, numbered, reads_number, settings

COUNT = 200
SLOTS = 4
ANSWER_S = 0.5


@pytest.mark.slow
@pytest.mark.alone
def test_the_server_is_kept_busy_and_no_answer_goes_astray(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    for number in range(1, COUNT + 1):
        path = numbered(folder / f"{number}.jpg", number, width_px=4000)
        os.utime(path, (1, time.time() - 3600))
    with OllamaDouble(reads_number, delay_s=ANSWER_S, slots=SLOTS) as ollama:
        config = settings(tmp_path, ollama.url)
        outcome = tag(config, [os.fsencode(folder)], choose(config))
        busy = ollama.busy_share()
        assert ollama.refused == 0
        assert len(ollama.asked) == COUNT
    assert outcome.failed == []
    for number in range(1, COUNT + 1):
        words = in_file(folder / f"{number}.jpg")
        assert words["XMP-dc:Subject"] == [f"number {number}", "bar code"]
        assert words["XMP-dc:Description"] == [f"This is picture {number}."]
    assert busy >= 0.9, f"the server was busy {busy:.0%} of the time"
