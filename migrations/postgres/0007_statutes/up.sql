-- Versions of a jurisdiction's rules. What was loaded is never changed: a version that does not apply yet is corrected by a
-- further revision, and the last one counts. `content` is hashed as it stands; the event has the hash. `event_id` is no foreign
-- key, for the reason that audit_private has none.
CREATE TABLE statutes (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    jurisdiction TEXT COLLATE "C" NOT NULL CHECK (length(jurisdiction) BETWEEN 2 AND 40),
    effective_from DATE NOT NULL,
    revision BIGINT NOT NULL CHECK (revision >= 1),
    built_in BOOLEAN NOT NULL,
    content TEXT COLLATE "C" NOT NULL CHECK (length(content) BETWEEN 2 AND 1048576),
    content_sha256 BYTEA NOT NULL CHECK (length(content_sha256) = 32),
    event_id TEXT COLLATE "C" NOT NULL,
    loaded_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX statutes_versions ON statutes (jurisdiction, effective_from, revision);

CREATE TRIGGER statutes_fixed BEFORE UPDATE OR DELETE ON statutes FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER statutes_not_emptied BEFORE TRUNCATE ON statutes EXECUTE FUNCTION refuse_change();
