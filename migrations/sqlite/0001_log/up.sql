-- The tamper-evident log. Events are appended in the transaction of the act they record; the sequencer gives them
-- their place afterwards. Nothing here is ever changed or deleted, and the triggers say so to everyone.

CREATE TABLE audit_log (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    origin TEXT NOT NULL,
    verifier_key TEXT NOT NULL,
    started_at TIMESTAMP NOT NULL
);

CREATE TABLE audit_events (
    id TEXT NOT NULL PRIMARY KEY,
    entry BLOB NOT NULL CHECK (length(entry) BETWEEN 2 AND 65535),
    leaf_hash BLOB NOT NULL CHECK (length(leaf_hash) = 32),
    leaf_index BIGINT UNIQUE CHECK (leaf_index >= 0),
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    at TIMESTAMP NOT NULL
) WITHOUT ROWID;
CREATE INDEX audit_events_waiting ON audit_events (id) WHERE leaf_index IS NULL;
CREATE INDEX audit_events_subject ON audit_events (subject, leaf_index);
CREATE INDEX audit_events_kind ON audit_events (kind, leaf_index);

-- What an entry only commits to. Rows may be emptied (erasure), never deleted.
CREATE TABLE audit_private (
    event_id TEXT NOT NULL PRIMARY KEY REFERENCES audit_events (id),
    actor_salt BLOB,
    actor_id TEXT,
    salt BLOB,
    content TEXT,
    erased_at TIMESTAMP
) WITHOUT ROWID;
CREATE INDEX audit_private_actor ON audit_private (actor_id, event_id);

-- Hashes of complete subtrees at heights 8, 16, 24 …: the tiles above the lowest. Height 0 is audit_events.leaf_hash.
CREATE TABLE audit_nodes (
    level BIGINT NOT NULL CHECK (level > 0 AND level % 8 = 0),
    node_index BIGINT NOT NULL CHECK (node_index >= 0),
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (level, node_index)
) WITHOUT ROWID;

CREATE TABLE audit_checkpoints (
    size BIGINT NOT NULL PRIMARY KEY CHECK (size > 0),
    root BLOB NOT NULL CHECK (length(root) = 32),
    note TEXT NOT NULL,
    frontier BLOB NOT NULL,
    signed_at TIMESTAMP NOT NULL
) WITHOUT ROWID;

CREATE TRIGGER audit_events_written_once BEFORE UPDATE OF id, entry, leaf_hash, kind, subject, at ON audit_events
BEGIN SELECT RAISE(ABORT, 'audit_events is append-only'); END;
CREATE TRIGGER audit_events_placed_once BEFORE UPDATE OF leaf_index ON audit_events WHEN OLD.leaf_index IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'audit_events is append-only'); END;
CREATE TRIGGER audit_events_kept BEFORE DELETE ON audit_events
BEGIN SELECT RAISE(ABORT, 'audit_events is append-only'); END;
CREATE TRIGGER audit_private_kept BEFORE DELETE ON audit_private
BEGIN SELECT RAISE(ABORT, 'audit_private is append-only'); END;
CREATE TRIGGER audit_nodes_fixed BEFORE UPDATE ON audit_nodes
BEGIN SELECT RAISE(ABORT, 'audit_nodes is append-only'); END;
CREATE TRIGGER audit_nodes_kept BEFORE DELETE ON audit_nodes
BEGIN SELECT RAISE(ABORT, 'audit_nodes is append-only'); END;
CREATE TRIGGER audit_checkpoints_fixed BEFORE UPDATE ON audit_checkpoints
BEGIN SELECT RAISE(ABORT, 'audit_checkpoints is append-only'); END;
CREATE TRIGGER audit_checkpoints_kept BEFORE DELETE ON audit_checkpoints
BEGIN SELECT RAISE(ABORT, 'audit_checkpoints is append-only'); END;
