-- Attachments. The bytes lie in the store of files, once for each content; `place` is where, and is never used for two
-- contents, nor twice for one, so that removing what lies there can never hit what was uploaded since.
CREATE TABLE file_objects (
    sha256 TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (length(sha256) = 64),
    bytes BIGINT NOT NULL CHECK (bytes > 0),
    place TEXT COLLATE "C" NOT NULL UNIQUE CHECK (length(place) BETWEEN 1 AND 200),
    stored_at TIMESTAMP NOT NULL,
    unused_since TIMESTAMP
);
CREATE INDEX file_objects_unused ON file_objects (unused_since) WHERE unused_since IS NOT NULL;

-- What somebody uploaded: until it hangs on a matter it is theirs alone and may go again; afterwards it stays.
CREATE TABLE attachments (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    sha256 TEXT COLLATE "C" NOT NULL REFERENCES file_objects (sha256),
    bytes BIGINT NOT NULL CHECK (bytes > 0),
    media_type TEXT COLLATE "C" NOT NULL CHECK (length(media_type) BETWEEN 1 AND 100),
    name TEXT COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    uploaded_by TEXT COLLATE "C" NOT NULL,
    uploaded_at TIMESTAMP NOT NULL,
    matter_kind TEXT COLLATE "C" CHECK (length(matter_kind) BETWEEN 1 AND 100),
    matter_id TEXT COLLATE "C" CHECK (length(matter_id) BETWEEN 1 AND 100),
    visibility TEXT COLLATE "C" CHECK (visibility IN ('matter', 'public')),
    attached_at TIMESTAMP,
    CHECK ((matter_id IS NULL) = (matter_kind IS NULL)),
    CHECK ((matter_id IS NULL) = (visibility IS NULL)),
    CHECK ((matter_id IS NULL) = (attached_at IS NULL))
);
CREATE INDEX attachments_content ON attachments (sha256);
CREATE INDEX attachments_matter ON attachments (matter_id, id) WHERE matter_id IS NOT NULL;
CREATE INDEX attachments_unattached ON attachments (uploaded_by, id) WHERE matter_id IS NULL;
CREATE INDEX attachments_orphans ON attachments (uploaded_at, id) WHERE matter_id IS NULL;
CREATE TRIGGER attachments_stay BEFORE DELETE ON attachments
    FOR EACH ROW WHEN (OLD.matter_id IS NOT NULL) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER attachments_hung_once BEFORE UPDATE ON attachments
    FOR EACH ROW WHEN (OLD.matter_id IS NOT NULL) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER attachments_same_file BEFORE UPDATE OF id, sha256, bytes, media_type, name, uploaded_by, uploaded_at ON attachments
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Bytes that an account has uploaded on a day of the ward.
CREATE TABLE attachment_usage (
    account TEXT COLLATE "C" NOT NULL,
    day DATE NOT NULL,
    bytes BIGINT NOT NULL CHECK (bytes > 0),
    PRIMARY KEY (account, day)
);
CREATE INDEX attachment_usage_age ON attachment_usage (day);
