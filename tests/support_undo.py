"""What tests of undo share: what must hold after each of them, whatever was undone."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from tagger.config import Config
from tagger.pipeline.carrying import carry_out
from tagger.pipeline.undo import Undone, rehearse, undo
from tagger.pipeline.verify import verify
from tagger.records import Changed
from tagger.tracking import edits, history
from tagger.tracking.database import Database
from tagger.tracking.edits import Edit
from tagger.tracking.history import PastWrite, Run, Which
from tests.support_metadata import as_told
from tests.test_tagging import run


def told(folder: Path) -> dict[str, Mapping[str, object]]:
    """All that exiftool tells of each file, but for times that are not kept."""
    found = {path.name: as_told(path) for path in sorted(folder.iterdir())}
    for name, values in found.items():
        if name.endswith(".xmp"):
            del values["System:FileModifyDate"]
    return found


def as_meant(folder: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    """Without what also tells of times, and of the order of our fields in IPTC."""
    return {
        name: {
            field: value
            for field, value in values.items()
            if field != "System:FileModifyDate" and "IPTCDigest" not in field
        }
        for name, values in folder.items()
    }


def runs(config: Config) -> list[Run]:
    with Database.of(config) as db:
        return history.every_run(db)


def writes_of(config: Config, path: Path) -> list[PastWrite]:
    with Database.of(config) as db:
        return history.of(db, [os.fsencode(path)])


def edited(config: Config, make: str, *arguments: object, **options: object) -> int:
    """Make an edit and carry it out; its run."""
    with Database.of(config) as db:
        edit = getattr(edits, make)(db, *arguments, **options)
    return carried_out(config, edit)


def carried_out(config: Config, edit: Edit) -> int:
    """Carry out an edit, whole; its run."""
    carried = carry_out(config, edit)
    assert (carried.failed, carried.waiting) == ([], [])
    return carried.run_id


def undone(
    config: Config, which: Which | Path | int, changed: Changed = Changed.REFUSE
) -> Undone:
    """Undo a run, or all of a place, after a rehearsal that foresaw each field of it.

    What a rehearsal and an undo have in common is what they are for; so it is claimed
    of each undo in these tests.
    """
    chosen = as_which(which)
    foretold = rehearse(config, chosen, changed=changed)
    outcome = undo(config, chosen, changed=changed)
    assert fields(foretold) == fields(outcome)
    assert foretold.chosen == outcome.chosen
    return outcome


def brought_back(config: Config, outcome: Undone) -> Undone:
    """Undo an undo."""
    assert outcome.run_id is not None
    return undone(config, outcome.run_id)


def as_which(which: Which | Path | int) -> Which:
    if isinstance(which, Path):
        return Which(place=os.fsencode(which))
    return Which(run_id=which) if isinstance(which, int) else which


def fields(outcome: Undone) -> list[tuple[object, ...]]:
    """What came of each field of each write."""
    return sorted(
        (
            Path(one.file).name,
            one.write.mode,
            sorted(one.put_back),
            sorted(one.refused.items()),
            sorted(one.unrestorable.items()),
            sorted(one.waiting.items()),
            one.is_undone,
        )
        for one in outcome.put_back
    )


def refused(outcome: Undone) -> dict[str, set[str]]:
    """The fields that were left, by file."""
    found: dict[str, set[str]] = {}
    for left in outcome.refused:
        found.setdefault(Path(left.file).name, set()).add(left.field)
    return found


def faults(config: Config) -> list[str]:
    return [f"{fault.file}: {fault.problem}" for fault in verify(config, []).faults]


def assert_at_rest(config: Config, *folders: Path) -> None:
    """The record says what the files hold, and no run changes a byte."""
    assert faults(config) == []
    before = [fingerprints_below(folder) for folder in folders]
    for folder in folders:
        assert run(config, folder).failed == []
    assert [fingerprints_below(folder) for folder in folders] == before
    assert faults(config) == []


def fingerprints_below(folder: Path) -> dict[Path, tuple[bytes, int]]:
    return {
        path: (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def keywords(path: Path) -> Sequence[str]:
    """The keywords in XMP, and proof that the other fields have the same."""
    found = as_told(path)
    lists = [
        [str(one) for one in (value if isinstance(value, list) else [value])]
        for value in (
            found.get("XMP-dc:Subject", []),
            found.get("XMP-digiKam:TagsList", []),
            found.get("IPTC:Keywords", []),
            str(found.get("IFD0:XPKeywords", "")).split(";"),
        )
    ]
    lists[3] = [word for word in lists[3] if word]
    assert sorted(lists[0]) == sorted(lists[1]) == sorted(lists[2]) == sorted(lists[3])
    return lists[0]
