"""The tables of the tracking database, and the reason each exists.

Ids are AUTOINCREMENT: an id once given to a folder, file or tag is never given again.
Paths are BLOBs, because the bytes of a file name are the truth, not their decoding.
Times are the text of `records.utc_now`.
"""

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.types import JSON, BigInteger

from tagger.tracking import compared, likes, people, steering, wishes, xmpfiles

metadata = wishes.metadata

person_tags = wishes.person_tags
synonyms = wishes.synonyms
bans = wishes.bans
edits = wishes.edits
conflicts = wishes.conflicts
undoables = wishes.undoables
dismissed = wishes.dismissed
controls = steering.controls
timings = steering.timings
sidecars = xmpfiles.sidecars
vector_methods = likes.vector_methods
vectors = likes.vectors
users = people.users
signins = people.signins
tokens = people.tokens
audit = people.audit
comparisons = compared.comparisons
contenders = compared.contenders
compared_answers = compared.compared_answers
choices = compared.choices

# Small facts about this database itself: its id, which tells one database from another.
meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

# The names of the migrations this file has been through.
migrations = Table(
    "migrations",
    metadata,
    Column("name", Text, primary_key=True),
    Column("applied_at", Text, nullable=False),
)

# Numbers without gaps need a row of their own: its lock puts commits in order.
counters = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Integer, nullable=False),
)

# Folders people added. A removed one keeps its row, so adding it again loses nothing.
# One made by a `tag` command gives way when a person adds it or one around it.
# `mirror` is a folder's own place for sidecars in mirror mode, if it has one.
# `servers` are the names of those its photos may be sent to; NULL: any. With `review`
# answers wait for a person before they are used.
folders = Table(
    "folders",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("path", LargeBinary, nullable=False, unique=True),
    Column("recursive", Boolean, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("write_mode", Text, nullable=False),
    Column("added_at", Text, nullable=False),
    Column("removed_at", Text),
    Column("last_scan_at", Text),
    Column("scan_requested_at", Text),
    Column("root_dev", BigInteger),
    Column("offline", Text),
    Column("made_by_tag", Boolean, nullable=False, default=False),
    Column("mirror", LargeBinary),
    Column("servers", JSON(none_as_null=True)),
    Column("hours", Text),
    Column("scan_interval_min", Float),
    Column("review", Boolean, nullable=False, server_default=false()),
    sqlite_autoincrement=True,
)

# One row a photo file. `state` is an ImageState other than `missing`, which is told by
# `missing_since`, so that a file that returns stands where it stood.
# `person_description` was set by an edit; `description_removed` says that a person took
# ours out; the words of `undone_result_id` were undone and do not come back unasked.
# `proposed_result_id` is an answer that waits for a person, and is not used before.
# One that was taken out of the queue, at `cancelled_at`, is put back only when asked.
# `owed_in` is the folder's mode while the files could not get all they should hold.
files = Table(
    "files",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("folder_id", Integer, ForeignKey("folders.id"), nullable=False),
    Column("path", LargeBinary, nullable=False, unique=True),
    Column("dev", BigInteger, nullable=False),
    Column("ino", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("ctime_ns", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("missing_since", Text),
    Column("unreachable", Boolean, nullable=False, default=False),
    Column("added_at", Text, nullable=False),
    Column("looked_at", Text),
    Column("words_at", Text),
    Column("finished_at", Text),
    Column("identity", Text),
    Column("content_hash", Text),
    Column("dhash", BigInteger),
    Column("quality", Integer),
    Column("rating", Integer),
    Column("format", Text),
    Column("width_px", Integer),
    Column("height_px", Integer),
    Column("orientation", Integer),
    Column("frames", Integer),
    Column("taken_at", Text),
    Column("camera", Text),
    Column("lens", Text),
    Column("latitude", Float),
    Column("longitude", Float),
    Column("note", Text),
    Column("found_description", Text),
    Column("result_id", Integer, ForeignKey("results.id")),
    Column("written_result_id", Integer, ForeignKey("results.id")),
    Column("written_mode", Text),
    Column("written_at", Text),
    Column("own_description", Text),
    Column("person_description", Text),
    Column("description_removed", Boolean, nullable=False, server_default=false()),
    Column("undone_result_id", Integer, ForeignKey("results.id")),
    Column("proposed_result_id", Integer, ForeignKey("results.id")),
    Column("cancelled_at", Text),
    Column("owed_in", Text),
    # Covers the counts that every screen asks for each second.
    Index("files_folder", "folder_id", "missing_since", "state"),
    Index("files_state", "state"),
    Index("files_identity", "identity"),
    Index("files_content", "content_hash"),
    Index("files_inode", "ino"),
    Index("files_finished", "finished_at"),
    sqlite_autoincrement=True,
)

# Every tag ever seen. `key` is the NFC, case-folded name: `Dog` and `dog` are one tag.
tags = Table(
    "tags",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("key", Text, nullable=False, unique=True),
    sqlite_autoincrement=True,
)

# Keywords found in a file that none of our writes put there: the person's.
file_tags = Table(
    "file_tags",
    metadata,
    Column("file_id", Integer, ForeignKey("files.id"), primary_key=True),
    Column("tag_id", Integer, ForeignKey("tags.id"), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Index("file_tags_tag", "tag_id"),
)

# Keywords that stand in a file because a write of ours added them.
own_tags = Table(
    "own_tags",
    metadata,
    Column("file_id", Integer, ForeignKey("files.id"), primary_key=True),
    Column("tag_id", Integer, ForeignKey("tags.id"), primary_key=True),
    Column("name", Text, nullable=False),
)

# What models answered, by picture (identity), so that copies share one answer.
results = Table(
    "results",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("identity", Text, nullable=False),
    Column("backend", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("prompt_version", Text, nullable=False),
    Column("server", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("text", Text),
    Column("seconds", Float, nullable=False),
    Column("tokens_in", Integer),
    Column("tokens_out", Integer),
    Column("created_at", Text, nullable=False),
    Index("results_identity", "identity"),
    Index("results_created", "created_at"),
    sqlite_autoincrement=True,
)

# What a model said (`tag_id`), and what that counts as: another tag (`becomes`), as it
# is `spelt`, or nothing (`banned`). See `meaning`.
result_tags = Table(
    "result_tags",
    metadata,
    Column("result_id", Integer, ForeignKey("results.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("tag_id", Integer, ForeignKey("tags.id"), nullable=False),
    Column("score", Float),
    Column("becomes", Integer, ForeignKey("tags.id")),
    Column("spelt", Text),
    Column("banned", Boolean, nullable=False, server_default=false()),
    Index("result_tags_tag", "tag_id"),
    Index("result_tags_becomes", "becomes"),
)

# Work to do, at most one row a file; gone when done. `run_id` binds a job to one
# `tag PATH` command, whatever the folder's own state. `wanted` counts how often it was
# asked for: a holder whose number is old must not end it. `was_state` and `was_reason`
# are the photo's from before, for when the job is cancelled; `touched_ns` is the age of
# its file, for those who want the newest first. `asked_with` is the server that was
# chosen for this one question; NULL leaves that to the folder.
jobs = Table(
    "jobs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("file_id", Integer, ForeignKey("files.id"), nullable=False),
    Column("ask_again", Boolean, nullable=False, default=False),
    Column("priority", Integer, nullable=False, default=0),
    Column("wanted", Integer, nullable=False, default=1),
    Column("attempts", Integer, nullable=False, default=0),
    Column("server_failures", Integer, nullable=False, default=0),
    Column("run_id", Integer, ForeignKey("runs.id")),
    Column("edit_id", Integer, ForeignKey("edits.id")),
    Column("token", Text),
    Column("lease_until", Float),
    Column("not_before", Float),
    Column("created_at", Text, nullable=False),
    Column("was_state", Text),
    Column("was_reason", Text),
    Column("touched_ns", BigInteger, nullable=False, server_default=text("0")),
    Column("asked_with", Text),
    UniqueConstraint("file_id"),
    Index("jobs_next", text("priority DESC"), "id"),
    Index("jobs_newest", text("priority DESC"), text("touched_ns DESC")),
    Index("jobs_run", "run_id", text("priority DESC"), "id"),
    Index("jobs_edit", "edit_id"),
    Index("jobs_lease", "lease_until"),
    sqlite_autoincrement=True,
)

# Every replacement of a file: intent first, then done or dropped. Before-values stay.
# `own_tags` are all tags of ours in what it leaves, those of earlier writes included;
# `copied_tags` those of the person's that a sidecar got from the photo by it.
# `kind` is `tag`, `undo` or `edit`; `before_hash` is that of the whole target before,
# NULL if there was none. An undo names the write it `undoes`, which names it back, the
# last one, with the fields that were not put back in `standing` (NULL: all were); what
# it `leaves` so itself and the `words` there afterwards are known before it happens.
# Of a write into the photo itself, `identity` is that of the picture it was to leave
# alone.
writes = Table(
    "writes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("file_id", Integer, ForeignKey("files.id"), nullable=False),
    Column("result_id", Integer, ForeignKey("results.id")),
    Column("run_id", Integer, ForeignKey("runs.id")),
    Column("target", LargeBinary, nullable=False),
    Column("mode", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("kind", Text, nullable=False, server_default="tag"),
    Column("undoes", Integer, ForeignKey("writes.id")),
    Column("undone_by", Integer, ForeignKey("writes.id")),
    Column("standing", JSON(none_as_null=True)),
    Column("leaves", JSON(none_as_null=True)),
    Column("words", JSON(none_as_null=True)),
    Column("expect", JSON),
    Column("before", JSON, nullable=False),
    Column("intended", JSON, nullable=False),
    Column("added_tags", JSON, nullable=False),
    Column("own_tags", JSON, nullable=False),
    Column("wrote_description", Text),
    Column("before_hash", Text),
    Column("after_hash", Text, nullable=False),
    Column("identity", Text),
    Column("after_size_bytes", BigInteger),
    Column("after_mtime_ns", BigInteger),
    Column("created_at", Text, nullable=False),
    Column("closed_at", Text),
    Column("copied_tags", JSON),
    Index("writes_file", "file_id"),
    Index("writes_state", "state"),
    Index("writes_hash", "after_hash"),
    Index("writes_before", "before_hash"),
    Index("writes_run", "run_id"),
    sqlite_autoincrement=True,
)

# What screens must hear of, numbered in commit order.
changes = Table(
    "changes",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("subject_id", Integer, nullable=False),
)

# Each time somebody set the tagger to work.
runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("backend", Text),
    Column("started_at", Text, nullable=False),
    Column("ended_at", Text),
    sqlite_autoincrement=True,
)

# The last word of each tagger process; `seen_at` is seconds since the epoch. `watching`
# says of each folder, by its id, how its changes come to be known.
taggers = Table(
    "taggers",
    metadata,
    Column("run_id", Integer, ForeignKey("runs.id"), primary_key=True),
    Column("pid", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("message", Text),
    Column("backend", Text),
    Column("servers", JSON, nullable=False),
    Column("seen_at", Float, nullable=False),
    Column("watching", JSON),
)
