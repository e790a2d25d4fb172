"""The tables of what pictures and texts are like, as vectors of small whole numbers.

The other tables, and what holds for all of them, are in `schema`.
"""

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, Table, Text
from sqlalchemy.schema import UniqueConstraint

from tagger.tracking.wishes import metadata

# How vectors are made: of a `kind`, and by a `name` that changes with whatever changes
# them. Only vectors of one method can be compared.
vector_methods = Table(
    "vector_methods",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    UniqueConstraint("kind", "name"),
    sqlite_autoincrement=True,
)

# One vector a subject, a byte a number: of a picture by its identity, so that copies
# share one and a moved photo keeps its own; of a text by its hash.
vectors = Table(
    "vectors",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("method_id", Integer, ForeignKey("vector_methods.id"), nullable=False),
    Column("subject", Text, nullable=False),
    Column("vector", LargeBinary, nullable=False),
    UniqueConstraint("method_id", "subject"),
    sqlite_autoincrement=True,
)
