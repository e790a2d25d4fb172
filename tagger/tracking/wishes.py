"""The tables of what people asked for: edits, words for words, and what is disputed.

The other tables, and what holds for all of them, are in `schema`.
"""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.types import JSON

metadata = MetaData()

# What a person said of a tag on a photo: that it belongs there (`kept`), or does not.
# `instead` is the tag that took the place of one that does not, if it was renamed.
person_tags = Table(
    "person_tags",
    metadata,
    Column("file_id", Integer, ForeignKey("files.id"), primary_key=True),
    Column("tag_id", Integer, ForeignKey("tags.id"), primary_key=True),
    Column("name", Text, nullable=False),
    Column("kept", Boolean, nullable=False),
    Column("at", Text, nullable=False),
    Column("instead", Text),
    Index("person_tags_tag", "tag_id"),
)

# Words for tags of future answers: `key` is the tag's, `name` what it becomes.
synonyms = Table(
    "synonyms",
    metadata,
    Column("key", Text, primary_key=True),
    Column("name", Text, nullable=False),
)

# Tags that no answer shall bring any more.
bans = Table(
    "bans",
    metadata,
    Column("key", Text, primary_key=True),
    Column("name", Text, nullable=False),
)

# What people changed in the program, each a batch of jobs that brings files in line.
# `failed` of its `photos` came to an end without that. That of one photo, `file_id`,
# keeps what was said of it before and after (`was`, `left`), so that it can be taken
# back.
edits = Table(
    "edits",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("detail", JSON, nullable=False),
    Column("photos", Integer, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("finished_at", Text),
    Column("failed", Integer, nullable=False, server_default=text("0")),
    Column("file_id", Integer, ForeignKey("files.id")),
    Column("was", JSON(none_as_null=True)),
    Column("left", JSON(none_as_null=True)),
    Index("edits_file", "file_id"),
    sqlite_autoincrement=True,
)

# How an edit can be taken back: what of it was there `before`, and the edit that did.
undoables = Table(
    "undoables",
    metadata,
    Column("edit_id", Integer, ForeignKey("edits.id"), primary_key=True),
    Column("before", JSON, nullable=False),
    Column("undone_by", Integer, ForeignKey("edits.id")),
)

# Pairs of tags, by their keys in order, that a person said are not one.
dismissed = Table(
    "dismissed",
    metadata,
    Column("one", Text, primary_key=True),
    Column("other", Text, primary_key=True),
    Column("at", Text, nullable=False),
)

# Where an edit and a change made outside disagree. The file is left alone until then.
conflicts = Table(
    "conflicts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("file_id", Integer, ForeignKey("files.id"), nullable=False),
    Column("field", Text, nullable=False),
    Column("ours", Text),
    Column("theirs", Text),
    Column("at", Text, nullable=False),
    Column("resolved_at", Text),
    Index("conflicts_file", "file_id"),
    sqlite_autoincrement=True,
)
