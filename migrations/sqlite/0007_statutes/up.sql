-- Versions of a jurisdiction's rules. What was loaded is never changed: a version that does not apply yet is corrected by a
-- further revision, and the last one counts. `content` is hashed as it stands; the event has the hash. `event_id` is no foreign
-- key, for the reason that audit_private has none on PostgreSQL.
CREATE TABLE statutes (
    id TEXT NOT NULL PRIMARY KEY,
    jurisdiction TEXT NOT NULL CHECK (length(jurisdiction) BETWEEN 2 AND 40),
    effective_from DATE NOT NULL,
    revision BIGINT NOT NULL CHECK (revision >= 1),
    built_in BOOLEAN NOT NULL,
    content TEXT NOT NULL CHECK (length(content) BETWEEN 2 AND 1048576),
    content_sha256 BLOB NOT NULL CHECK (length(content_sha256) = 32),
    event_id TEXT NOT NULL,
    loaded_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX statutes_versions ON statutes (jurisdiction, effective_from, revision);

CREATE TRIGGER statutes_fixed BEFORE UPDATE ON statutes
BEGIN SELECT RAISE(ABORT, 'statutes is append-only'); END;
CREATE TRIGGER statutes_kept BEFORE DELETE ON statutes
BEGIN SELECT RAISE(ABORT, 'statutes is append-only'); END;
