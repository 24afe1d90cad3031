-- Secret addresses at which a calendar of what an account follows can be got; of each only the hash of its secret. An account has one at most, and it goes when it ends.
CREATE TABLE calendar_links (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 60),
    account_id TEXT COLLATE "C" NOT NULL UNIQUE REFERENCES accounts (id),
    secret_sha256 BYTEA NOT NULL UNIQUE CHECK (length(secret_sha256) = 32),
    made_at TIMESTAMP NOT NULL
);
-- Another secret is another link.
CREATE TRIGGER calendar_links_fixed
    BEFORE UPDATE ON calendar_links
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
