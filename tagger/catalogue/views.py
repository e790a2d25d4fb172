"""Views: what a person's SQL can ask, table by table and column by column.

They are made anew for each question, for its cursor alone, from what is written here.
So nothing of them is in the catalogue's file: a rebuild, or a catalogue of another
shape, cannot leave an old one behind. They are a promise to people's saved questions:
a column may be added, and none is taken away.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import duckdb

from tagger.catalogue import quoting
from tagger.tracking import history
from tagger.tracking.database import Database


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a view: its name, its type, and what it says of what."""

    name: str
    kind: str
    means: str


@dataclass(frozen=True, slots=True)
class View:
    """A view: what a row of it is, its columns, and how it comes out of the catalogue.

    `select` is SQL in which `{db}` stands for the catalogue's own tables. Without it
    the rows come from the tracking database.
    """

    name: str
    about: str
    columns: tuple[Column, ...]
    select: str = ""


# Its tags are sorted as lists: four times faster than by ORDER BY in the aggregate.
PHOTOS = View(
    "photos",
    "One row for each photo file, those that are missing now included.",
    (
        Column("id", "BIGINT", "its number, as in every other view and in the API"),
        Column("path", "VARCHAR", "where the file is"),
        Column("folder", "VARCHAR", "the folder that was added, in which it lies"),
        Column("name", "VARCHAR", "the file's name"),
        Column(
            "state",
            "VARCHAR",
            "`new`, `queued`, `tagged`, `review`, `not written`, `failed` or `missing`",
        ),
        Column("reason", "VARCHAR", "why it failed or could not be written"),
        Column("description", "VARCHAR", "what it shows, in a sentence"),
        Column(
            "description_source",
            "VARCHAR",
            "who said so: `file` (found there), `person` (edited here), or a model",
        ),
        Column("text", "VARCHAR", "writing that can be read in the picture"),
        Column("tags", "VARCHAR[]", "its tags, in alphabetical order"),
        Column("model", "VARCHAR", "the model whose answer is in use"),
        Column("taken_at", "TIMESTAMP", "when it was taken, by the camera's clock"),
        Column("camera", "VARCHAR", "the camera"),
        Column("lens", "VARCHAR", "the lens"),
        Column("latitude", "DOUBLE", "where it was taken, degrees north"),
        Column("longitude", "DOUBLE", "where it was taken, degrees east"),
        Column("width", "BIGINT", "pixels across, as the file has them"),
        Column("height", "BIGINT", "pixels down, as the file has them"),
        Column("bytes", "BIGINT", "the size of the file"),
        Column("format", "VARCHAR", "`JPEG`, `HEIC`, `PNG`, …"),
        Column("rating", "BIGINT", "its stars, 1 to 5, or -1 if it was rejected"),
        Column("quality", "BIGINT", "how sharp and well exposed it is, 0 to 100"),
        Column("picture", "VARCHAR", "the same for files that hold the same picture"),
        Column("added_at", "TIMESTAMP", "when it was found, UTC"),
        Column("answered_at", "TIMESTAMP", "when the model answered, UTC"),
        Column("written_at", "TIMESTAMP", "when its words were last written, UTC"),
        Column("written_mode", "VARCHAR", "where to: `file`, `sidecar` or `mirror`"),
    ),
    """SELECT i.id, coalesce(d.path, '') || i.name AS path, f.path AS folder, i.name,
        i.state, i.reason, i.description, i.description_source, i.text,
        coalesce(said.tags, []) AS tags, i.model,
        try_cast(i.taken_at AS TIMESTAMP) AS taken_at, i.camera, i.lens,
        i.latitude, i.longitude, i.width_px AS width, i.height_px AS height,
        i.size_bytes AS bytes, i.format, i.rating, i.quality,
        i.identity AS picture,
        try_cast(i.added_at AS TIMESTAMP) AS added_at,
        try_cast(i.answered_at AS TIMESTAMP) AS answered_at,
        try_cast(i.written_at AS TIMESTAMP) AS written_at, i.written_mode
    FROM {db}.images i
        LEFT JOIN {db}.directories d ON d.id = i.directory_id
        LEFT JOIN {db}.folders f ON f.id = i.folder_id
        LEFT JOIN (SELECT t.image_id, list_transform(
                list_sort(list({'at': n.at, 'name': n.name})), lambda x: x.name) AS tags
            FROM {db}.image_tags t JOIN (
                SELECT tag_id, name, row_number() OVER (ORDER BY key, tag_id) AS at
                FROM {db}.tags) n USING (tag_id)
            GROUP BY t.image_id) said ON said.image_id = i.id""",
)

TAGS = View(
    "tags",
    "One row for each tag that a photo has.",
    (
        Column("id", "BIGINT", "its number, as in the API"),
        Column("name", "VARCHAR", "the tag"),
        Column("photos", "BIGINT", "how many photos have it, missing ones left out"),
    ),
    """SELECT n.tag_id AS id, n.name, count(*) FILTER (i.state <> 'missing') AS photos
    FROM {db}.image_tags t JOIN {db}.tags n USING (tag_id)
        JOIN {db}.images i ON i.id = t.image_id
    GROUP BY n.tag_id, n.name""",
)

PHOTO_TAGS = View(
    "photo_tags",
    "One row for each tag of each photo.",
    (
        Column("photo_id", "BIGINT", "the photo"),
        Column("tag", "VARCHAR", "the tag"),
        Column("source", "VARCHAR", "who said it: `file`, `person`, or a model"),
        Column("score", "DOUBLE", "how sure the model was, where it says so"),
    ),
    """SELECT t.image_id AS photo_id, n.name AS tag, t.source, t.score
    FROM {db}.image_tags t JOIN {db}.tags n USING (tag_id)""",
)

RESULTS = View(
    "results",
    "One row for each photo that a model described: the answer that is in use. "
    "Earlier answers are in the tracking database only.",
    (
        Column("photo_id", "BIGINT", "the photo"),
        Column("backend", "VARCHAR", "`ollama`, `openai` or `builtin`"),
        Column("model", "VARCHAR", "the model"),
        Column("prompt_version", "VARCHAR", "which prompt it was asked with"),
        Column("server", "VARCHAR", "the server that answered"),
        Column("seconds", "DOUBLE", "how long it took"),
        Column("tokens_in", "BIGINT", "tokens of the question"),
        Column("tokens_out", "BIGINT", "tokens of the answer"),
        Column("answered_at", "TIMESTAMP", "when it answered, UTC"),
    ),
    """SELECT id AS photo_id, backend, model, prompt_version, server, seconds,
        tokens_in, tokens_out, try_cast(answered_at AS TIMESTAMP) AS answered_at
    FROM {db}.images WHERE answered_at IS NOT NULL""",
)

FAILURES = View(
    "failures",
    "One row for each photo that failed, or whose words could not be written.",
    (
        Column("photo_id", "BIGINT", "the photo"),
        Column("path", "VARCHAR", "where the file is"),
        Column("state", "VARCHAR", "`failed` or `not written`"),
        Column("reason", "VARCHAR", "why"),
    ),
    """SELECT i.id AS photo_id, coalesce(d.path, '') || i.name AS path, i.state,
        i.reason
    FROM {db}.images i LEFT JOIN {db}.directories d ON d.id = i.directory_id
    WHERE i.state IN ('failed', 'not written')""",
)

RUNS = View(
    "runs",
    "One row for each time somebody set the tagger to work. They are read from the "
    "tracking database when a question names them.",
    (
        Column("id", "BIGINT", "its number, as `undo --run` takes it"),
        Column("kind", "VARCHAR", "`run`, `tag`, `edit`, `undo`, …"),
        Column("backend", "VARCHAR", "who looked at the photos"),
        Column("started_at", "TIMESTAMP", "when it began, UTC"),
        Column("ended_at", "TIMESTAMP", "when it ended, UTC"),
        Column("photos", "BIGINT", "how many photos it wrote"),
        Column("undone", "BIGINT", "how many of its writes were undone"),
        Column("partly", "BIGINT", "how many others were undone in part"),
    ),
)

VIEWS = (PHOTOS, TAGS, PHOTO_TAGS, RESULTS, FAILURES, RUNS)
NAMES = frozenset(view.name for view in VIEWS)


def make(
    cursor: duckdb.DuckDBPyConnection, db: Database, wanted: Collection[str]
) -> None:
    """Make the views of these names for this cursor."""
    own = f"{quoting.name(_one(cursor, 'SELECT current_database()'))}.main"
    for view in VIEWS:
        if view.name not in wanted:
            continue
        if view.select:
            select = view.select.replace("{db}", own)
            cursor.execute(f"CREATE OR REPLACE TEMP VIEW {view.name} AS {select}")
        else:
            _fill_runs(cursor, view, db)


def _fill_runs(cursor: duckdb.DuckDBPyConnection, view: View, db: Database) -> None:
    columns = ", ".join(f"{column.name} {column.kind}" for column in view.columns)
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE {view.name} ({columns})")
    rows: Sequence[tuple[object, ...]] = [
        tuple(getattr(run, column.name) for column in view.columns)
        for run in history.every_run(db)
    ]
    if rows:
        lists = [list(values) for values in zip(*rows, strict=True)]
        values = ", ".join(
            f"unnest(?::{'VARCHAR' if c.kind == 'TIMESTAMP' else c.kind}[])::{c.kind}"
            for c in view.columns
        )
        cursor.execute(f"INSERT INTO {view.name} SELECT {values}", lists)


def _one(cursor: duckdb.DuckDBPyConnection, statement: str) -> str:
    row = cursor.execute(statement).fetchone()
    return "" if row is None else str(row[0])
