"""The tables of people: who may sign in, who did, what programs show, who did what.

Nothing in here is worth stealing: of passwords there are argon2id hashes, of what
browsers and programs show to be let in, SHA-256 hashes. The other tables, and what
holds for all of them, are in `schema`.
"""

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, Table, Text
from sqlalchemy.types import JSON

from tagger.tracking.wishes import metadata

# `key` is the name as it is looked up, without case; `password` is NULL for people whom
# only a proxy or another provider knows.
users = Table(
    "users",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("key", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("password", Text),
    Column("created_at", Text, nullable=False),
    sqlite_autoincrement=True,
)

# The browsers that are signed in, until `ends_at`, in seconds since the epoch.
signins = Table(
    "signins",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("user_id", Integer, ForeignKey("users.id"), nullable=False),
    Column("created_at", Text, nullable=False),
    Column("ends_at", Float, nullable=False),
    Index("signins_user", "user_id"),
)

# What programs show instead of signing in. `role` is the most it may be used for.
tokens = Table(
    "tokens",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("user_id", Integer, ForeignKey("users.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("hash", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("ends_at", Float, nullable=False),
    Column("used_at", Text),
    Index("tokens_user", "user_id"),
    sqlite_autoincrement=True,
)

# Who did what: `who` and `role` as they were then. `mark` is the entry's own in every
# copy of this database, where its number may be another's. `outcome` is NULL until it
# is over, and stays so if the program ended meanwhile.
audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("mark", Text, nullable=False, unique=True),
    Column("at", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("way", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("detail", JSON(none_as_null=True)),
    Column("outcome", Text),
    sqlite_autoincrement=True,
)
