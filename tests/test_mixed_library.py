"""A library of all formats and programs says, once all is undone, what it said."""

from pathlib import Path

import pytest

from tests import mixed_library


@pytest.mark.slow
def test_everything_that_was_done_to_a_mixed_library_can_be_undone(
    tmp_path: Path,
) -> None:
    figures = mixed_library.live(tmp_path, 120, lambda line: None)

    assert figures.unlisted == {}
    assert figures.equal + len(figures.listed) >= figures.files
    fields = {name for names in figures.listed.values() for name in names}
    assert fields <= {"File:CurrentIPTCDigest", "QuickTime:MediaDataSize"}
