"""The table of XMP files that stand where sidecars of photos may, as last met.

A photo can have several: the one that takes our words, one of another program, and in
a library with a mirror those in the tree of the photos. The other tables, and what
holds for all of them, are in `schema`.
"""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
)
from sqlalchemy.types import JSON, BigInteger

from tagger.tracking import wishes

# `is_read` says that its words are this photo's; what is not may be another photo's of
# the same stem. `is_ours`, true of one at most, that our words of this photo were put
# there; it may be at a place the photo has left. `tags`, `description` are what stood
# there, `copied` those of the tags that we took over from the photo.
sidecars = Table(
    "sidecars",
    wishes.metadata,
    Column("file_id", Integer, ForeignKey("files.id"), primary_key=True),
    Column("path", LargeBinary, primary_key=True),
    Column("dev", BigInteger, nullable=False),
    Column("ino", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("ctime_ns", BigInteger, nullable=False),
    Column("is_read", Boolean, nullable=False),
    Column("is_ours", Boolean, nullable=False),
    Column("content_hash", Text),
    Column("tags", JSON, nullable=False),
    Column("description", Text),
    Column("copied", JSON, nullable=False),
    Index("sidecars_path", "path"),
)
