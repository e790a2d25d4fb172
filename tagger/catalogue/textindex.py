"""The search index on disk: tantivy's files, and a note of how far they have come.

The index follows the DuckDB tables. After each commit a small file, the mark, says
which catalogue it belongs to and up to which change; a kill between the two leaves the
mark behind the index, and taking the same changes again does no harm. Files that
cannot be read are thrown away, which leaves an empty index without a mark.
"""

import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import tantivy

from tagger.catalogue import keys
from tagger.errors import DataError

VERSION = 3
WRITER_BYTES = 64_000_000
WRITER_THREADS = 1
LONGEST_WORD = 100
# Fields that hold a value as it is, to be counted and looked through.
NAMES = ("state", "camera", "lens", "format", "model", "shape", "has", "said_by")


@dataclass(frozen=True, slots=True)
class Mark:
    """Which catalogue the index belongs to, and the last change that is in it."""

    catalogue_id: str
    change: int
    version: int = VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What can be found of one photo. Times are seconds as `keys` counts them.

    `has` and `said_by` are words of the query language: `gps`, `human`.
    """

    id: int
    folder_id: int
    directory_id: int
    state: str
    size_bytes: int
    added_s: int
    taken_s: int | None
    pixels: int | None
    quality: int | None
    rating: int | None
    shape: str | None
    camera: str | None
    lens: str | None
    format: str | None
    model: str | None
    has: tuple[str, ...]
    said_by: tuple[str, ...]
    words: tuple[str, ...]
    tag_ids: tuple[int, ...]
    tag_names: tuple[str, ...]


class TextIndex:
    """One open index. Any thread may search; one thread at a time changes it."""

    def __init__(self, index: tantivy.Index, directory: Path) -> None:
        self._index = index
        self._writer: tantivy.IndexWriter | None = None
        self._directory = directory
        self.stemmed = _analyzer(stemmed=True)
        self.plain = _analyzer(stemmed=False)

    @classmethod
    def open(cls, directory: Path) -> "TextIndex":
        """Open the index in `directory`; an unreadable or foreign one is made anew."""
        files = directory / "index"
        try:
            files.mkdir(parents=True, exist_ok=True)
            try:
                index = _open(files)
            except ValueError:
                _discard(directory)
                files.mkdir()
                index = _open(files)
        except (OSError, ValueError) as error:
            raise DataError(
                f"{directory}: the search index cannot be used: {error}"
            ) from error
        return cls(index, directory)

    @property
    def schema(self) -> tantivy.Schema:
        return self._index.schema

    def searcher(self) -> tantivy.Searcher:
        """The index as last committed."""
        return self._index.searcher()

    def count(self) -> int:
        """How many photos are in the index."""
        return int(self.searcher().num_docs)

    def values(self, field: str) -> list[tuple[str, int]]:
        """What a field of `NAMES` holds, with the photos of each, most first."""
        return list(self.searcher().terms_with_prefix(field, ""))

    def words(self, start: str, limit: int | None = None) -> list[tuple[str, int]]:
        """Words that begin so, with the photos of each, most first."""
        return list(self.searcher().terms_with_prefix("plain", start, limit=limit))

    def mark(self) -> Mark | None:
        """What the files are known to hold; None if that is nothing or unknown."""
        try:
            mark = Mark(**json.loads(self._mark_path.read_bytes()))
        except (FileNotFoundError, ValueError, TypeError):
            return None
        return mark if mark.version == VERSION else None

    def replace(self, ids: Iterable[int], entries: Iterable[Entry]) -> None:
        """Put `entries` in the place of whatever is there for `ids`."""
        writer = self._open_writer()
        for image_id in ids:
            writer.delete_documents_by_term("id", image_id)
        for entry in entries:
            writer.add_document(_document(entry))

    def clear(self) -> None:
        """Empty the index; searches see it only after the next commit."""
        self._open_writer().delete_all_documents()

    def commit(self, mark: Mark) -> None:
        """Make what was changed durable and visible, then note how far it goes."""
        if self._writer is not None:
            self._writer.commit()
            self._index.reload()
        part = self._mark_path.with_suffix(".part")
        with part.open("w") as file:
            json.dump(asdict(mark), file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, self._mark_path)

    def roll_back(self) -> None:
        """Forget what was changed since the last commit."""
        if self._writer is not None:
            self._writer.rollback()

    def close(self) -> None:
        """Let merges finish and give the directory free."""
        if self._writer is not None:
            self._writer.wait_merging_threads()
            self._writer = None

    @property
    def _mark_path(self) -> Path:
        return self._directory / "mark.json"

    def _open_writer(self) -> tantivy.IndexWriter:
        if self._writer is None:
            try:
                self._writer = self._index.writer(WRITER_BYTES, WRITER_THREADS)
            except ValueError as error:
                raise DataError(
                    f"{self._directory}: another process writes this search index; "
                    "two catalogues cannot share one data folder"
                ) from error
        return self._writer


def _open(files: Path) -> tantivy.Index:
    index = tantivy.Index(_schema(), path=str(files))
    index.register_tokenizer("stemmed", _analyzer(stemmed=True))
    index.register_tokenizer("plain", _analyzer(stemmed=False))
    # The default watches the directory from a thread; we know when we commit.
    index.config_reader("manual")
    index.reload()
    return index


def _schema() -> tantivy.Schema:
    """`stemmed` ranks and holds phrases; `plain` keeps words whole, for prefixes.

    `taken`, `size`, `quality` and `rating` are sort keys that hold the id too, so that
    no two are equal.
    Fast fields are columns: for order, ranges and counting.
    """
    builder = tantivy.SchemaBuilder()
    builder.add_integer_field("id", indexed=True, fast=True)
    builder.add_text_field("stemmed", tokenizer_name="stemmed")
    builder.add_text_field("tags", tokenizer_name="stemmed")
    builder.add_text_field("plain", tokenizer_name="plain", index_option="basic")
    for name in ("tag_id", "folder_id", "directory_id"):
        builder.add_integer_field(name, indexed=True, fast=True)
    for name in ("taken", "size", "quality", "rating", "added", "pixels", "month"):
        builder.add_integer_field(name, fast=True)
    for name in NAMES:
        builder.add_text_field(
            name, tokenizer_name="raw", index_option="basic", fast=True
        )
    return builder.build()


def _analyzer(*, stemmed: bool) -> tantivy.TextAnalyzer:
    builder = (
        tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
        .filter(tantivy.Filter.remove_long(LONGEST_WORD))
        .filter(tantivy.Filter.lowercase())
        .filter(tantivy.Filter.ascii_fold())
    )
    if stemmed:
        builder = builder.filter(tantivy.Filter.stemmer("english"))
    return builder.build()


def _document(entry: Entry) -> tantivy.Document:
    fields: dict[str, Any] = {
        "id": entry.id,
        "folder_id": entry.folder_id,
        "directory_id": entry.directory_id,
        "stemmed": list(entry.words),
        "tags": list(entry.tag_names),
        "plain": [*entry.words, *entry.tag_names],
        "tag_id": list(entry.tag_ids),
        "added": entry.added_s,
        "taken": keys.taken(entry.taken_s, entry.id),
        "size": keys.size(entry.size_bytes, entry.id),
        "quality": keys.score(-1 if entry.quality is None else entry.quality, entry.id),
        "rating": keys.score(entry.rating or 0, entry.id),
        "state": entry.state,
        "has": list(entry.has),
        "said_by": list(entry.said_by),
    }
    if entry.taken_s is not None:
        fields["month"] = keys.month(entry.taken_s)
    for name in ("pixels", "shape", "camera", "lens", "format", "model"):
        value = getattr(entry, name)
        if value is not None:
            fields[name] = value
    return tantivy.Document(**fields)


def _discard(directory: Path) -> None:
    """Remove our files; the mark first, as it vouches for the others."""
    (directory / "mark.json").unlink(missing_ok=True)
    shutil.rmtree(directory / "index")
