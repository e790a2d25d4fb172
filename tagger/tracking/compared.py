"""The tables of comparisons: models and prompts asked about the same photos, to choose.

What is in here never reaches a photo: an answer of a comparison is no result, and a
choice says which one was better, not which one a photo has. The other tables, and what
holds for all of them, are in `schema`.
"""

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
)
from sqlalchemy.types import JSON

from tagger.tracking.wishes import metadata

# `photos` are ids of files, in the order they are asked about and shown. A worker holds
# a comparison with a `token` until `lease_until`, which it keeps pushing on.
comparisons = Table(
    "comparisons",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("photos", JSON, nullable=False),
    Column("token", Text),
    Column("lease_until", Float),
    Column("created_at", Text, nullable=False),
    Column("ended_at", Text),
    Index("comparisons_state", "state"),
    sqlite_autoincrement=True,
)

# Who is asked: a server by its name in the settings, with a model and what is asked.
contenders = Table(
    "contenders",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("comparison_id", Integer, ForeignKey("comparisons.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("server", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("tags_min", Integer, nullable=False),
    Column("tags_max", Integer, nullable=False),
    Column("extra_instruction", Text, nullable=False),
    Index("contenders_comparison", "comparison_id", "position"),
    sqlite_autoincrement=True,
)

# What came of each question; a row is there once it was asked. `outcome` is one of
# `comparisons.Outcome`, and `reason` says why there is no answer.
compared_answers = Table(
    "compared_answers",
    metadata,
    Column("contender_id", Integer, ForeignKey("contenders.id"), primary_key=True),
    Column("file_id", Integer, ForeignKey("files.id"), primary_key=True),
    Column("outcome", Text, nullable=False),
    Column("reason", Text),
    Column("description", Text),
    Column("text", Text),
    Column("tags", JSON, nullable=False),
    Column("seconds", Float),
    Column("tokens_in", Integer),
    Column("tokens_out", Integer),
    Column("prompt_version", Text),
    Column("at", Text, nullable=False),
)

# Which answer a person found better for a photo; without a contender `verdict` says
# whether they were equally good, or none was any good. `blind`: names were hidden.
choices = Table(
    "choices",
    metadata,
    Column("comparison_id", Integer, ForeignKey("comparisons.id"), primary_key=True),
    Column("file_id", Integer, ForeignKey("files.id"), primary_key=True),
    Column("verdict", Text, nullable=False),
    Column("contender_id", Integer, ForeignKey("contenders.id")),
    Column("blind", Boolean, nullable=False),
    Column("at", Text, nullable=False),
)
