-- The tamper-evident log. Events are appended in the transaction of the act they record; the sequencer gives them
-- their place afterwards. Nothing here is ever changed or deleted, and the triggers say so to everyone.
-- Text is compared byte by byte (COLLATE "C"), as on SQLite, so that both databases sort alike.

CREATE TABLE audit_log (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    origin TEXT COLLATE "C" NOT NULL,
    verifier_key TEXT COLLATE "C" NOT NULL,
    started_at TIMESTAMP NOT NULL
);

CREATE TABLE audit_events (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    entry BYTEA NOT NULL CHECK (length(entry) BETWEEN 2 AND 65535),
    leaf_hash BYTEA NOT NULL CHECK (length(leaf_hash) = 32),
    leaf_index BIGINT UNIQUE CHECK (leaf_index >= 0),
    kind TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    at TIMESTAMP NOT NULL
);
CREATE INDEX audit_events_waiting ON audit_events (id) WHERE leaf_index IS NULL;
CREATE INDEX audit_events_subject ON audit_events (subject, leaf_index);
CREATE INDEX audit_events_kind ON audit_events (kind, leaf_index);

-- What an entry only commits to. Rows may be emptied (erasure), never deleted. No foreign key here, unlike on SQLite: its
-- check reads the last page of the index on audit_events (id), into which every other transaction is just inserting, and
-- under serialisable isolation any two writers at the same time would then be in each other's way.
CREATE TABLE audit_private (
    event_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    actor_salt BYTEA,
    actor_id TEXT COLLATE "C",
    salt BYTEA,
    content TEXT COLLATE "C",
    erased_at TIMESTAMP
);
CREATE INDEX audit_private_actor ON audit_private (actor_id, event_id);

-- Hashes of complete subtrees at heights 8, 16, 24 …: the tiles above the lowest. Height 0 is audit_events.leaf_hash.
CREATE TABLE audit_nodes (
    level BIGINT NOT NULL CHECK (level > 0 AND level % 8 = 0),
    node_index BIGINT NOT NULL CHECK (node_index >= 0),
    hash BYTEA NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (level, node_index)
);

CREATE TABLE audit_checkpoints (
    size BIGINT NOT NULL PRIMARY KEY CHECK (size > 0),
    root BYTEA NOT NULL CHECK (length(root) = 32),
    note TEXT COLLATE "C" NOT NULL,
    frontier BYTEA NOT NULL,
    signed_at TIMESTAMP NOT NULL
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER audit_events_written_once BEFORE UPDATE OF id, entry, leaf_hash, kind, subject, at ON audit_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_events_placed_once BEFORE UPDATE OF leaf_index ON audit_events
    FOR EACH ROW WHEN (OLD.leaf_index IS NOT NULL) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_events_kept BEFORE DELETE ON audit_events FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_events_not_emptied BEFORE TRUNCATE ON audit_events EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_private_kept BEFORE DELETE ON audit_private FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_private_not_emptied BEFORE TRUNCATE ON audit_private EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_nodes_fixed BEFORE UPDATE OR DELETE ON audit_nodes FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_nodes_not_emptied BEFORE TRUNCATE ON audit_nodes EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_checkpoints_fixed BEFORE UPDATE OR DELETE ON audit_checkpoints
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_checkpoints_not_emptied BEFORE TRUNCATE ON audit_checkpoints EXECUTE FUNCTION refuse_change();
