DROP TABLE residence_registrations;
DELETE FROM one_time_links WHERE purpose = 'registration';
CREATE TABLE one_time_links_narrower (
    hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    purpose TEXT NOT NULL CHECK (purpose IN ('invitation', 'bootstrap', 'password_reset')),
    account_id TEXT REFERENCES accounts (id),
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    used_at TIMESTAMP,
    CHECK ((account_id IS NULL) = (purpose = 'bootstrap'))
);
INSERT INTO one_time_links_narrower SELECT hash, purpose, account_id, created_at, expires_at, used_at FROM one_time_links;
DROP TABLE one_time_links;
ALTER TABLE one_time_links_narrower RENAME TO one_time_links;
CREATE INDEX one_time_links_account ON one_time_links (account_id, purpose);
CREATE INDEX one_time_links_expiry ON one_time_links (expires_at);
