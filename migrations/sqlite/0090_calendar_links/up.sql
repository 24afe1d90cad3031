-- Secret addresses at which a calendar of what an account follows can be got; of each only the hash of its secret. An account has one at most, and it goes when it ends.
CREATE TABLE calendar_links (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 60),
    account_id TEXT NOT NULL UNIQUE REFERENCES accounts (id),
    secret_sha256 BLOB NOT NULL UNIQUE CHECK (length(secret_sha256) = 32),
    made_at TIMESTAMP NOT NULL
);
-- Another secret is another link.
CREATE TRIGGER calendar_links_fixed BEFORE UPDATE ON calendar_links
BEGIN SELECT RAISE(ABORT, 'calendar_links are made and ended, never changed'); END;
