BEGIN TRANSACTION;
CREATE TABLE bans (
	"key" TEXT NOT NULL,
	name TEXT NOT NULL,
	PRIMARY KEY ("key")
);
CREATE TABLE changes (
	number INTEGER NOT NULL,
	kind TEXT NOT NULL,
	subject_id INTEGER NOT NULL,
	PRIMARY KEY (number)
);
CREATE TABLE choices (
            comparison_id INTEGER NOT NULL, file_id INTEGER NOT NULL,
            verdict TEXT NOT NULL, contender_id INTEGER, blind BOOLEAN NOT NULL,
            at TEXT NOT NULL, PRIMARY KEY (comparison_id, file_id),
            FOREIGN KEY(comparison_id) REFERENCES comparisons (id),
            FOREIGN KEY(file_id) REFERENCES files (id),
            FOREIGN KEY(contender_id) REFERENCES contenders (id));
CREATE TABLE compared_answers (
            contender_id INTEGER NOT NULL, file_id INTEGER NOT NULL,
            outcome TEXT NOT NULL, reason TEXT, description TEXT, text TEXT,
            tags JSON NOT NULL, seconds FLOAT, tokens_in INTEGER, tokens_out INTEGER,
            prompt_version TEXT, at TEXT NOT NULL,
            PRIMARY KEY (contender_id, file_id),
            FOREIGN KEY(contender_id) REFERENCES contenders (id),
            FOREIGN KEY(file_id) REFERENCES files (id));
CREATE TABLE comparisons (
            id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL,
            state TEXT NOT NULL, photos JSON NOT NULL, token TEXT, lease_until FLOAT,
            created_at TEXT NOT NULL, ended_at TEXT);
CREATE TABLE conflicts (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	file_id INTEGER NOT NULL,
	field TEXT NOT NULL,
	ours TEXT,
	theirs TEXT,
	at TEXT NOT NULL,
	resolved_at TEXT,
	FOREIGN KEY(file_id) REFERENCES files (id)
);
CREATE TABLE contenders (
            id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
            comparison_id INTEGER NOT NULL, position INTEGER NOT NULL,
            server TEXT NOT NULL, model TEXT NOT NULL, language TEXT NOT NULL,
            tags_min INTEGER NOT NULL, tags_max INTEGER NOT NULL,
            extra_instruction TEXT NOT NULL,
            FOREIGN KEY(comparison_id) REFERENCES comparisons (id));
CREATE TABLE controls (
	name TEXT NOT NULL,
	value BLOB,
	at TEXT NOT NULL,
	PRIMARY KEY (name)
);
CREATE TABLE counters (
	name TEXT NOT NULL,
	value INTEGER NOT NULL,
	PRIMARY KEY (name)
);
INSERT INTO "counters" VALUES('changes',0);
CREATE TABLE dismissed (
	one TEXT NOT NULL,
	other TEXT NOT NULL,
	at TEXT NOT NULL,
	PRIMARY KEY (one, other)
);
CREATE TABLE edits (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	kind TEXT NOT NULL,
	detail JSON NOT NULL,
	photos INTEGER NOT NULL,
	created_at TEXT NOT NULL,
	finished_at TEXT,
	failed INTEGER DEFAULT 0 NOT NULL,
	file_id INTEGER,
	was JSON,
	"left" JSON,
	FOREIGN KEY(file_id) REFERENCES files (id)
);
CREATE TABLE file_tags (
	file_id INTEGER NOT NULL,
	tag_id INTEGER NOT NULL,
	position INTEGER NOT NULL,
	name TEXT NOT NULL,
	PRIMARY KEY (file_id, tag_id),
	FOREIGN KEY(file_id) REFERENCES files (id),
	FOREIGN KEY(tag_id) REFERENCES tags (id)
);
CREATE TABLE files (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	folder_id INTEGER NOT NULL,
	path BLOB NOT NULL,
	dev BIGINT NOT NULL,
	ino BIGINT NOT NULL,
	size_bytes BIGINT NOT NULL,
	mtime_ns BIGINT NOT NULL,
	ctime_ns BIGINT NOT NULL,
	state TEXT NOT NULL,
	reason TEXT,
	missing_since TEXT,
	unreachable BOOLEAN NOT NULL,
	added_at TEXT NOT NULL,
	looked_at TEXT,
	words_at TEXT,
	finished_at TEXT,
	identity TEXT,
	content_hash TEXT,
	dhash BIGINT,
	format TEXT,
	width_px INTEGER,
	height_px INTEGER,
	orientation INTEGER,
	frames INTEGER,
	taken_at TEXT,
	camera TEXT,
	lens TEXT,
	latitude FLOAT,
	longitude FLOAT,
	note TEXT,
	found_description TEXT,
	result_id INTEGER,
	written_result_id INTEGER,
	written_mode TEXT,
	written_at TEXT,
	own_description TEXT,
	person_description TEXT,
	description_removed BOOLEAN DEFAULT 0 NOT NULL,
	undone_result_id INTEGER,
	cancelled_at TEXT,
	owed_in TEXT, proposed_result_id INTEGER REFERENCES results (id), quality INTEGER, rating INTEGER,
	FOREIGN KEY(folder_id) REFERENCES folders (id),
	UNIQUE (path),
	FOREIGN KEY(result_id) REFERENCES results (id),
	FOREIGN KEY(written_result_id) REFERENCES results (id),
	FOREIGN KEY(undone_result_id) REFERENCES results (id)
);
CREATE TABLE folders (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	path BLOB NOT NULL,
	recursive BOOLEAN NOT NULL,
	active BOOLEAN NOT NULL,
	write_mode TEXT NOT NULL,
	added_at TEXT NOT NULL,
	removed_at TEXT,
	last_scan_at TEXT,
	scan_requested_at TEXT,
	root_dev BIGINT,
	offline TEXT,
	made_by_tag BOOLEAN NOT NULL,
	mirror BLOB,
	servers JSON, review BOOLEAN DEFAULT 0 NOT NULL, hours TEXT, scan_interval_min FLOAT,
	UNIQUE (path)
);
CREATE TABLE jobs (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	file_id INTEGER NOT NULL,
	ask_again BOOLEAN NOT NULL,
	priority INTEGER NOT NULL,
	wanted INTEGER NOT NULL,
	attempts INTEGER NOT NULL,
	server_failures INTEGER NOT NULL,
	run_id INTEGER,
	edit_id INTEGER,
	token TEXT,
	lease_until FLOAT,
	not_before FLOAT,
	created_at TEXT NOT NULL,
	was_state TEXT,
	was_reason TEXT,
	touched_ns BIGINT DEFAULT 0 NOT NULL,
	asked_with TEXT,
	UNIQUE (file_id),
	FOREIGN KEY(file_id) REFERENCES files (id),
	FOREIGN KEY(run_id) REFERENCES runs (id),
	FOREIGN KEY(edit_id) REFERENCES edits (id)
);
CREATE TABLE meta (
	"key" TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY ("key")
);
CREATE TABLE migrations (
	name TEXT NOT NULL,
	applied_at TEXT NOT NULL,
	PRIMARY KEY (name)
);
INSERT INTO "migrations" VALUES('m001_initial','2026-11-26T12:47:46.942Z');
INSERT INTO "migrations" VALUES('m002_sidecars','2026-11-26T12:47:46.942Z');
INSERT INTO "migrations" VALUES('m003_partial_undo','2026-11-26T12:47:46.942Z');
INSERT INTO "migrations" VALUES('m005_queue_control','2026-11-26T12:47:46.942Z');
INSERT INTO "migrations" VALUES('m006_renamed_tags','2026-11-26T12:47:46.943Z');
INSERT INTO "migrations" VALUES('m007_failed_edits','2026-11-26T12:47:46.943Z');
INSERT INTO "migrations" VALUES('m008_pictures_of_writes','2026-11-26T12:47:46.943Z');
INSERT INTO "migrations" VALUES('m009_meanings','2026-11-26T12:47:46.943Z');
INSERT INTO "migrations" VALUES('m010_owed','2026-11-26T12:47:46.943Z');
INSERT INTO "migrations" VALUES('m011_folder_servers','2026-11-26T12:47:46.943Z');
INSERT INTO "migrations" VALUES('m012_vectors','2026-11-26T12:47:46.943Z');
INSERT INTO "migrations" VALUES('m013_dismissed','2026-11-26T12:47:46.943Z');
INSERT INTO "migrations" VALUES('m014_asked_with','2026-11-26T12:47:46.943Z');
INSERT INTO "migrations" VALUES('m015_review','2026-11-26T13:44:13.670Z');
INSERT INTO "migrations" VALUES('m016_comparisons','2026-11-26T13:44:13.671Z');
INSERT INTO "migrations" VALUES('m017_folder_schedule','2026-11-26T13:44:13.673Z');
INSERT INTO "migrations" VALUES('m018_ratings','2026-11-26T17:04:38.974Z');
CREATE TABLE own_tags (
	file_id INTEGER NOT NULL,
	tag_id INTEGER NOT NULL,
	name TEXT NOT NULL,
	PRIMARY KEY (file_id, tag_id),
	FOREIGN KEY(file_id) REFERENCES files (id),
	FOREIGN KEY(tag_id) REFERENCES tags (id)
);
CREATE TABLE person_tags (
	file_id INTEGER NOT NULL,
	tag_id INTEGER NOT NULL,
	name TEXT NOT NULL,
	kept BOOLEAN NOT NULL,
	at TEXT NOT NULL,
	"instead" TEXT,
	PRIMARY KEY (file_id, tag_id),
	FOREIGN KEY(file_id) REFERENCES files (id),
	FOREIGN KEY(tag_id) REFERENCES tags (id)
);
CREATE TABLE result_tags (
	result_id INTEGER NOT NULL,
	position INTEGER NOT NULL,
	tag_id INTEGER NOT NULL,
	score FLOAT,
	becomes INTEGER,
	spelt TEXT,
	banned BOOLEAN DEFAULT 0 NOT NULL,
	PRIMARY KEY (result_id, position),
	FOREIGN KEY(result_id) REFERENCES results (id),
	FOREIGN KEY(tag_id) REFERENCES tags (id),
	FOREIGN KEY(becomes) REFERENCES tags (id)
);
CREATE TABLE results (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	identity TEXT NOT NULL,
	backend TEXT NOT NULL,
	model TEXT NOT NULL,
	prompt_version TEXT NOT NULL,
	server TEXT NOT NULL,
	description TEXT NOT NULL,
	text TEXT,
	seconds FLOAT NOT NULL,
	tokens_in INTEGER,
	tokens_out INTEGER,
	created_at TEXT NOT NULL
);
CREATE TABLE runs (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	kind TEXT NOT NULL,
	pid INTEGER NOT NULL,
	backend TEXT,
	started_at TEXT NOT NULL,
	ended_at TEXT
);
CREATE TABLE sidecars (
	file_id INTEGER NOT NULL,
	path BLOB NOT NULL,
	dev BIGINT NOT NULL,
	ino BIGINT NOT NULL,
	size_bytes BIGINT NOT NULL,
	mtime_ns BIGINT NOT NULL,
	ctime_ns BIGINT NOT NULL,
	is_read BOOLEAN NOT NULL,
	is_ours BOOLEAN NOT NULL,
	content_hash TEXT,
	tags JSON NOT NULL,
	description TEXT,
	copied JSON NOT NULL,
	PRIMARY KEY (file_id, path),
	FOREIGN KEY(file_id) REFERENCES files (id)
);
CREATE TABLE synonyms (
	"key" TEXT NOT NULL,
	name TEXT NOT NULL,
	PRIMARY KEY ("key")
);
CREATE TABLE taggers (
	run_id INTEGER NOT NULL,
	pid INTEGER NOT NULL,
	state TEXT NOT NULL,
	message TEXT,
	backend TEXT,
	servers JSON NOT NULL,
	seen_at FLOAT NOT NULL,
	watching JSON,
	PRIMARY KEY (run_id),
	FOREIGN KEY(run_id) REFERENCES runs (id)
);
CREATE TABLE tags (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	name TEXT NOT NULL,
	"key" TEXT NOT NULL,
	UNIQUE ("key")
);
CREATE TABLE timings (
	file_id INTEGER NOT NULL,
	server TEXT,
	model TEXT,
	asked_at FLOAT,
	looking_s FLOAT NOT NULL,
	waiting_s FLOAT NOT NULL,
	asking_s FLOAT NOT NULL,
	writing_s FLOAT NOT NULL,
	tokens_in INTEGER,
	tokens_out INTEGER,
	PRIMARY KEY (file_id)
);
CREATE TABLE undoables (
	edit_id INTEGER NOT NULL,
	"before" JSON NOT NULL,
	undone_by INTEGER,
	PRIMARY KEY (edit_id),
	FOREIGN KEY(edit_id) REFERENCES edits (id),
	FOREIGN KEY(undone_by) REFERENCES edits (id)
);
CREATE TABLE vector_methods (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	kind TEXT NOT NULL,
	name TEXT NOT NULL,
	UNIQUE (kind, name)
);
CREATE TABLE vectors (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	method_id INTEGER NOT NULL,
	subject TEXT NOT NULL,
	vector BLOB NOT NULL,
	UNIQUE (method_id, subject),
	FOREIGN KEY(method_id) REFERENCES vector_methods (id)
);
CREATE TABLE writes (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	file_id INTEGER NOT NULL,
	result_id INTEGER,
	run_id INTEGER,
	target BLOB NOT NULL,
	mode TEXT NOT NULL,
	state TEXT NOT NULL,
	kind TEXT DEFAULT 'tag' NOT NULL,
	undoes INTEGER,
	undone_by INTEGER,
	standing JSON,
	leaves JSON,
	words JSON,
	expect JSON,
	"before" JSON NOT NULL,
	intended JSON NOT NULL,
	added_tags JSON NOT NULL,
	own_tags JSON NOT NULL,
	wrote_description TEXT,
	before_hash TEXT,
	after_hash TEXT NOT NULL,
	identity TEXT,
	after_size_bytes BIGINT,
	after_mtime_ns BIGINT,
	created_at TEXT NOT NULL,
	closed_at TEXT,
	copied_tags JSON,
	FOREIGN KEY(file_id) REFERENCES files (id),
	FOREIGN KEY(result_id) REFERENCES results (id),
	FOREIGN KEY(run_id) REFERENCES runs (id),
	FOREIGN KEY(undoes) REFERENCES writes (id),
	FOREIGN KEY(undone_by) REFERENCES writes (id)
);
CREATE INDEX timings_asked ON timings (asked_at);
CREATE INDEX results_identity ON results (identity);
CREATE INDEX results_created ON results (created_at);
CREATE INDEX files_folder ON files (folder_id, missing_since, state);
CREATE INDEX files_identity ON files (identity);
CREATE INDEX files_content ON files (content_hash);
CREATE INDEX files_finished ON files (finished_at);
CREATE INDEX files_inode ON files (ino);
CREATE INDEX files_state ON files (state);
CREATE INDEX result_tags_tag ON result_tags (tag_id);
CREATE INDEX result_tags_becomes ON result_tags (becomes);
CREATE INDEX person_tags_tag ON person_tags (tag_id);
CREATE INDEX edits_file ON edits (file_id);
CREATE INDEX conflicts_file ON conflicts (file_id);
CREATE INDEX sidecars_path ON sidecars (path);
CREATE INDEX file_tags_tag ON file_tags (tag_id);
CREATE INDEX writes_before ON writes (before_hash);
CREATE INDEX writes_run ON writes (run_id);
CREATE INDEX writes_file ON writes (file_id);
CREATE INDEX writes_state ON writes (state);
CREATE INDEX writes_hash ON writes (after_hash);
CREATE INDEX jobs_next ON jobs (priority DESC, id);
CREATE INDEX jobs_lease ON jobs (lease_until);
CREATE INDEX jobs_edit ON jobs (edit_id);
CREATE INDEX jobs_newest ON jobs (priority DESC, touched_ns DESC);
CREATE INDEX jobs_run ON jobs (run_id, priority DESC, id);
CREATE INDEX comparisons_state ON comparisons (state);
CREATE INDEX contenders_comparison ON contenders (comparison_id, position);
COMMIT;