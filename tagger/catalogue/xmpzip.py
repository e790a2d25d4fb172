"""XMP ZIP: the sidecars of any photos in one file, for programs that read XMP.

Each is at its photo's whole path, as in a mirror: that of `/photos/a.jpg` is at
`photos/a.jpg.xmp`. So no name begins with a slash, and it can be unpacked as a mirror.
A path that another program could take for a different place, or that would be another's
where case makes no difference, is made safe and put into a folder of its own,
`_renamed/ID`.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from tagger.catalogue import copying, parts
from tagger.catalogue.store import Catalogue
from tagger.catalogue.wanted import Chosen
from tagger.catalogue.xmp import Words, sidecar
from tagger.catalogue.zipping import File, Zipper

RENAMED = "_renamed"
_COLUMNS = (
    *("id", "path", "copy", "description", "description_source", "tags"),
    *("tag_sources", "model", "prompt_version", "answered_at", "rating"),
)
_ROWS_AT_ONCE = 500
# What is no part of a name on some system, is a command to a terminal, or was no text.
_UNSAFE = re.compile(r'[\\:*?"<>|\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffd]')
_LONGEST_NAME_BYTES = 200


class XmpZip:
    """One ZIP file on its way; `count` is how many photos it has."""

    def __init__(
        self, catalogue: Catalogue, chosen: Chosen, *, says_who: bool = True
    ) -> None:
        self._catalogue = catalogue
        self._chosen = chosen
        self._says_who = says_who
        self.count = 0

    def pieces(self) -> Iterator[bytes]:
        """The file in pieces; one that is let go of leaves nothing behind."""
        with (
            copying.folder(self._catalogue.path) as folder,
            parts.reading(self._catalogue, self._chosen, copies=True) as (cursor,),
        ):
            yield from Zipper(folder / "contents").pieces(self._files(cursor))

    def _files(self, cursor: duckdb.DuckDBPyConnection) -> Iterator[File]:
        select = parts.PART.replace("{columns}", ", ".join(_COLUMNS))
        for bounds in parts.bounds(cursor):
            cursor.execute(select, list(bounds))
            while rows := cursor.fetchmany(_ROWS_AT_ONCE):
                for row in rows:
                    self.count += 1
                    yield self._file(dict(zip(_COLUMNS, row, strict=True)))

    def _file(self, row: dict[str, Any]) -> File:
        words = Words(
            description=row["description"],
            description_source=row["description_source"],
            tags=row["tags"],
            sources=row["tag_sources"],
            model=row["model"],
            prompt_version=row["prompt_version"],
            answered_at=row["answered_at"],
            rating=row["rating"],
        )
        name = entry_name(row["path"], row["id"], is_copy=row["copy"] > 1)
        return File(name, sidecar(words, says_who=self._says_who))


def entry_name(path: str, image_id: int, *, is_copy: bool = False) -> str:
    """Where the sidecar of a photo is in the ZIP."""
    names = [part for part in path.split("/") if part]
    safe = [_safe(part) for part in names]
    if is_copy or not names or safe != names or names[0] == RENAMED:
        last = Path(safe[-1] if safe else "photo").name
        return f"{RENAMED}/{image_id}/{last}.xmp"
    return "/".join(safe) + ".xmp"


def _safe(part: str) -> str:
    """A name that is one, and the same one, on every system."""
    safe = _UNSAFE.sub("_", part).encode("utf-8", "replace").decode()
    safe = safe.encode()[:_LONGEST_NAME_BYTES].decode("utf-8", "ignore")
    return safe.rstrip(". ") or "_"
