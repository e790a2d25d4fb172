"""The tables of how the queue is steered, and of what each photo cost.

The other tables, and what holds for all of them, are in `schema`.
"""

from sqlalchemy import Column, Float, Index, Integer, LargeBinary, Table, Text

from tagger.tracking.wishes import metadata

# What people want of the queue as a whole, until they want it no more: `paused`, and
# the place that goes `first` (its path with a slash at the end).
controls = Table(
    "controls",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary),
    Column("at", Text, nullable=False),
)

# What the last way through the stages took for each photo, in seconds. `asked_at`, in
# seconds since the epoch, `server` and `model` are those of its last question, and NULL
# where none was asked. No foreign key: the row of a photo that is gone does no harm.
timings = Table(
    "timings",
    metadata,
    Column("file_id", Integer, primary_key=True, autoincrement=False),
    Column("server", Text),
    Column("model", Text),
    Column("asked_at", Float),
    Column("looking_s", Float, nullable=False),
    Column("waiting_s", Float, nullable=False),
    Column("asking_s", Float, nullable=False),
    Column("writing_s", Float, nullable=False),
    Column("tokens_in", Integer),
    Column("tokens_out", Integer),
    Index("timings_asked", "asked_at"),
)
