"""Forward migrations: named steps that bring an older tracking database up to date.

A new database is made whole from `schema` and marked as having been through every step.
A database that knows a step we do not is newer than this program and is refused.
"""

from collections.abc import Callable

from sqlalchemy import Connection, inspect, select

from tagger.errors import DataError
from tagger.records import utc_now
from tagger.tracking import dialects, schema, tagnames

Step = Callable[[Connection], None]


def m001_initial(connection: Connection) -> None:
    """The first shape: made by `schema.metadata`, so there is nothing to change."""


def m006_renamed_tags(connection: Connection) -> None:
    """A tag that a person took out may have another one in its place."""
    connection.exec_driver_sql("ALTER TABLE person_tags ADD COLUMN instead TEXT")


def m008_pictures_of_writes(connection: Connection) -> None:
    """Each write says which picture it found; earlier ones by the answer they wrote."""
    for column in ("identity TEXT", "after_size_bytes BIGINT", "after_mtime_ns BIGINT"):
        connection.exec_driver_sql(f"ALTER TABLE writes ADD COLUMN {column}")
    connection.exec_driver_sql(
        """UPDATE writes SET identity = (
            SELECT results.identity FROM results WHERE results.id = writes.result_id)
        WHERE mode = 'file'"""
    )


def m002_sidecars(connection: Connection) -> None:
    """Sidecars are on record of their own, and folders may have them in a mirror."""
    connection.exec_driver_sql("ALTER TABLE folders ADD COLUMN mirror BLOB")
    connection.exec_driver_sql("ALTER TABLE writes ADD COLUMN copied_tags JSON")
    connection.exec_driver_sql(
        """CREATE TABLE sidecars (
            file_id INTEGER NOT NULL, path BLOB NOT NULL,
            dev BIGINT NOT NULL, ino BIGINT NOT NULL, size_bytes BIGINT NOT NULL,
            mtime_ns BIGINT NOT NULL, ctime_ns BIGINT NOT NULL,
            is_read BOOLEAN NOT NULL, is_ours BOOLEAN NOT NULL, content_hash TEXT,
            tags JSON NOT NULL, description TEXT, copied JSON NOT NULL,
            PRIMARY KEY (file_id, path),
            FOREIGN KEY(file_id) REFERENCES files (id))"""
    )
    connection.exec_driver_sql("CREATE INDEX sidecars_path ON sidecars (path)")


def m007_failed_edits(connection: Connection) -> None:
    """Each edit counts the photos that came to an end without it."""
    connection.exec_driver_sql(
        "ALTER TABLE edits ADD COLUMN failed INTEGER DEFAULT 0 NOT NULL"
    )


def m005_queue_control(connection: Connection) -> None:
    """People steer the queue, and what each photo costs is known."""
    for statement in (
        "CREATE TABLE controls (name TEXT NOT NULL PRIMARY KEY, value BLOB, "
        "at TEXT NOT NULL)",
        "CREATE TABLE timings (file_id INTEGER NOT NULL PRIMARY KEY, server TEXT, "
        "model TEXT, asked_at FLOAT, looking_s FLOAT NOT NULL, waiting_s FLOAT "
        "NOT NULL, asking_s FLOAT NOT NULL, writing_s FLOAT NOT NULL, "
        "tokens_in INTEGER, tokens_out INTEGER)",
        "CREATE INDEX timings_asked ON timings (asked_at)",
        "ALTER TABLE files ADD COLUMN cancelled_at TEXT",
        "ALTER TABLE jobs ADD COLUMN was_state TEXT",
        "ALTER TABLE jobs ADD COLUMN was_reason TEXT",
        "ALTER TABLE jobs ADD COLUMN touched_ns BIGINT DEFAULT 0 NOT NULL",
        "ALTER TABLE taggers ADD COLUMN watching JSON",
        "UPDATE jobs SET touched_ns = coalesce("
        "(SELECT mtime_ns FROM files WHERE files.id = jobs.file_id), 0)",
        "CREATE INDEX jobs_newest ON jobs (priority DESC, touched_ns DESC)",
        "CREATE INDEX results_created ON results (created_at)",
    ):
        connection.exec_driver_sql(statement)


def m003_partial_undo(connection: Connection) -> None:
    """A write may be put back in part: what still stands of it is on record."""
    for column in ("standing", "leaves", "words"):
        connection.exec_driver_sql(f"ALTER TABLE writes ADD COLUMN {column} JSON")


def m009_meanings(connection: Connection) -> None:
    """Each answer keeps what its tags count as; so far the lists of now said it."""
    for statement in (
        "ALTER TABLE result_tags ADD COLUMN becomes INTEGER REFERENCES tags (id)",
        "ALTER TABLE result_tags ADD COLUMN spelt TEXT",
        "ALTER TABLE result_tags ADD COLUMN banned BOOLEAN DEFAULT 0 NOT NULL",
        "CREATE INDEX result_tags_becomes ON result_tags (becomes)",
    ):
        connection.exec_driver_sql(statement)
    said = "tag_id IN (SELECT id FROM tags WHERE key = ?)"
    for key, name in connection.exec_driver_sql("SELECT key, name FROM synonyms").all():
        connection.exec_driver_sql(
            f"""UPDATE result_tags SET spelt = ?,
            becomes = (SELECT id FROM tags WHERE key = ?) WHERE {said}""",
            (name, tagnames.key(name), key),
        )
    connection.exec_driver_sql(
        "UPDATE result_tags SET spelt = NULL WHERE becomes IS NULL"
    )
    connection.exec_driver_sql(
        """UPDATE result_tags SET becomes = NULL, spelt = NULL, banned = 1
        WHERE tag_id IN (SELECT id FROM tags WHERE key IN (SELECT key FROM bans))
        OR becomes IN (SELECT id FROM tags WHERE key IN (SELECT key FROM bans))"""
    )


def m010_owed(connection: Connection) -> None:
    """Photos whose files do not hold what they should say so, until a mode lets them.

    So far nobody noted it of edits: what a person said, and the record of the file's
    words does not, is owed.
    """
    connection.exec_driver_sql("ALTER TABLE files ADD COLUMN owed_in TEXT")
    there = """(SELECT file_id, tag_id FROM own_tags
        UNION SELECT file_id, tag_id FROM file_tags)"""
    connection.exec_driver_sql(
        f"""UPDATE files SET owed_in = 'none' WHERE id IN (
            SELECT file_id FROM person_tags
            WHERE kept <> ((file_id, tag_id) IN {there}))
        OR (person_description IS NOT NULL
            AND person_description IS NOT own_description
            AND person_description IS NOT found_description)"""
    )


def m011_folder_servers(connection: Connection) -> None:
    """Folders can be bound to model servers."""
    connection.exec_driver_sql("ALTER TABLE folders ADD COLUMN servers JSON")


def m012_vectors(connection: Connection) -> None:
    """What pictures and texts are like is kept, so that nothing is made out twice."""
    for statement in (
        """CREATE TABLE vector_methods (
            id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL,
            name TEXT NOT NULL, UNIQUE (kind, name))""",
        """CREATE TABLE vectors (
            id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, method_id INTEGER NOT NULL,
            subject TEXT NOT NULL, vector BLOB NOT NULL,
            UNIQUE (method_id, subject),
            FOREIGN KEY(method_id) REFERENCES vector_methods (id))""",
    ):
        connection.exec_driver_sql(statement)


def m013_dismissed(connection: Connection) -> None:
    """Edits can be taken back, and pairs of tags are remembered that are not one."""
    for statement in (
        """CREATE TABLE undoables (
            edit_id INTEGER NOT NULL PRIMARY KEY, before JSON NOT NULL,
            undone_by INTEGER,
            FOREIGN KEY(edit_id) REFERENCES edits (id),
            FOREIGN KEY(undone_by) REFERENCES edits (id))""",
        """CREATE TABLE dismissed (
            one TEXT NOT NULL, other TEXT NOT NULL, at TEXT NOT NULL,
            PRIMARY KEY (one, other))""",
    ):
        connection.exec_driver_sql(statement)


def m014_asked_with(connection: Connection) -> None:
    """One photo can be asked about with a server of choice, and edits taken back."""
    for statement in (
        "ALTER TABLE jobs ADD COLUMN asked_with TEXT",
        "ALTER TABLE edits ADD COLUMN file_id INTEGER REFERENCES files (id)",
        'ALTER TABLE edits ADD COLUMN "was" JSON',
        'ALTER TABLE edits ADD COLUMN "left" JSON',
        "CREATE INDEX edits_file ON edits (file_id)",
    ):
        connection.exec_driver_sql(statement)


def m015_review(connection: Connection) -> None:
    """In some folders answers wait for a person before they are used."""
    no = "false" if dialects.is_postgresql(connection) else "0"
    for statement in (
        f"ALTER TABLE folders ADD COLUMN review BOOLEAN DEFAULT {no} NOT NULL",
        "ALTER TABLE files ADD COLUMN proposed_result_id INTEGER "
        "REFERENCES results (id)",
    ):
        connection.exec_driver_sql(statement)


def m016_comparisons(connection: Connection) -> None:
    """Models and prompts are compared, in tables that no photo takes part in."""
    for statement in (
        """CREATE TABLE comparisons (
            id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL,
            state TEXT NOT NULL, photos JSON NOT NULL, token TEXT, lease_until FLOAT,
            created_at TEXT NOT NULL, ended_at TEXT)""",
        "CREATE INDEX comparisons_state ON comparisons (state)",
        """CREATE TABLE contenders (
            id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
            comparison_id INTEGER NOT NULL, position INTEGER NOT NULL,
            server TEXT NOT NULL, model TEXT NOT NULL, language TEXT NOT NULL,
            tags_min INTEGER NOT NULL, tags_max INTEGER NOT NULL,
            extra_instruction TEXT NOT NULL,
            FOREIGN KEY(comparison_id) REFERENCES comparisons (id))""",
        "CREATE INDEX contenders_comparison ON contenders (comparison_id, position)",
        """CREATE TABLE compared_answers (
            contender_id INTEGER NOT NULL, file_id INTEGER NOT NULL,
            outcome TEXT NOT NULL, reason TEXT, description TEXT, text TEXT,
            tags JSON NOT NULL, seconds FLOAT, tokens_in INTEGER, tokens_out INTEGER,
            prompt_version TEXT, at TEXT NOT NULL,
            PRIMARY KEY (contender_id, file_id),
            FOREIGN KEY(contender_id) REFERENCES contenders (id),
            FOREIGN KEY(file_id) REFERENCES files (id))""",
        """CREATE TABLE choices (
            comparison_id INTEGER NOT NULL, file_id INTEGER NOT NULL,
            verdict TEXT NOT NULL, contender_id INTEGER, blind BOOLEAN NOT NULL,
            at TEXT NOT NULL, PRIMARY KEY (comparison_id, file_id),
            FOREIGN KEY(comparison_id) REFERENCES comparisons (id),
            FOREIGN KEY(file_id) REFERENCES files (id),
            FOREIGN KEY(contender_id) REFERENCES contenders (id))""",
    ):
        connection.exec_driver_sql(dialects.spelt(connection, statement))


def m017_folder_schedule(connection: Connection) -> None:
    """A folder may have hours of its own, and be looked through at its own pace."""
    for column in ("hours TEXT", "scan_interval_min FLOAT"):
        connection.exec_driver_sql(f"ALTER TABLE folders ADD COLUMN {column}")


def m018_ratings(connection: Connection) -> None:
    """Photos have the rating of their files, and how sharp and well exposed they are.

    Both are found out when a photo is looked at or read next.
    """
    for column in ("quality", "rating"):
        connection.exec_driver_sql(f"ALTER TABLE files ADD COLUMN {column} INTEGER")


def m019_people(connection: Connection) -> None:
    """People sign in, with roles; programs show tokens; what they change is noted."""
    for statement in (
        """CREATE TABLE users (
            id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL,
            key TEXT NOT NULL UNIQUE, role TEXT NOT NULL, password TEXT,
            created_at TEXT NOT NULL)""",
        """CREATE TABLE signins (
            hash TEXT NOT NULL PRIMARY KEY,
            user_id INTEGER NOT NULL REFERENCES users (id),
            created_at TEXT NOT NULL, ends_at FLOAT NOT NULL)""",
        "CREATE INDEX signins_user ON signins (user_id)",
        """CREATE TABLE tokens (
            id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
            user_id INTEGER NOT NULL REFERENCES users (id), name TEXT NOT NULL,
            hash TEXT NOT NULL UNIQUE, role TEXT NOT NULL, created_at TEXT NOT NULL,
            ends_at FLOAT NOT NULL, used_at TEXT)""",
        "CREATE INDEX tokens_user ON tokens (user_id)",
        """CREATE TABLE audit (
            id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, mark TEXT NOT NULL UNIQUE,
            at TEXT NOT NULL, who TEXT NOT NULL,
            role TEXT NOT NULL, way TEXT NOT NULL, what TEXT NOT NULL, detail JSON,
            outcome TEXT)""",
    ):
        connection.exec_driver_sql(dialects.spelt(connection, statement))


# A step is written out in SQL: what `schema` says goes on changing after it.
STEPS: tuple[Step, ...] = (
    m001_initial,
    m002_sidecars,
    m003_partial_undo,
    m005_queue_control,
    m006_renamed_tags,
    m007_failed_edits,
    m008_pictures_of_writes,
    m009_meanings,
    m010_owed,
    m011_folder_servers,
    m012_vectors,
    m013_dismissed,
    m014_asked_with,
    m015_review,
    m016_comparisons,
    m017_folder_schedule,
    m018_ratings,
    m019_people,
)


def migrate(connection: Connection, *, where: str) -> None:
    """Bring the database up to the present shape, inside the caller's transaction.

    Raises `DataError` if it was made by a newer version.
    """
    fresh = not inspect(connection).has_table(schema.migrations.name)
    if fresh:
        schema.metadata.create_all(connection)
    applied = set(connection.scalars(select(schema.migrations.c.name)))
    if unknown := applied - {step.__name__ for step in STEPS}:
        raise DataError(
            f"{where} was made by a newer version of Image Tagger (it has "
            f"{min(unknown)}): update the program, or use another data folder"
        )
    for step in STEPS:
        if step.__name__ not in applied:
            if not fresh:
                step(connection)
            connection.execute(
                schema.migrations.insert().values(
                    name=step.__name__, applied_at=utc_now()
                )
            )
