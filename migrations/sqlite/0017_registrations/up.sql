-- A resident who has no account opens one with their letter: links of one more purpose, and what such a link is good for.

-- SQLite changes no check of a table; no other table refers to this one.
CREATE TABLE one_time_links_wider (
    hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    purpose TEXT NOT NULL CHECK (purpose IN ('invitation', 'bootstrap', 'password_reset', 'registration')),
    account_id TEXT REFERENCES accounts (id),
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    used_at TIMESTAMP,
    CHECK ((account_id IS NULL) = (purpose IN ('bootstrap', 'registration')))
);
INSERT INTO one_time_links_wider SELECT hash, purpose, account_id, created_at, expires_at, used_at FROM one_time_links;
DROP TABLE one_time_links;
ALTER TABLE one_time_links_wider RENAME TO one_time_links;
CREATE INDEX one_time_links_account ON one_time_links (account_id, purpose);
CREATE INDEX one_time_links_expiry ON one_time_links (expires_at);

-- At most one for each letter. It goes with its letter, whatever becomes of that: used, printed anew, its resident moved away or erased.
-- `tries` counts dates of birth, right and wrong, that were given with the link.
CREATE TABLE residence_registrations (
    resident_id TEXT NOT NULL PRIMARY KEY REFERENCES invitation_letters (resident_id) ON DELETE CASCADE,
    link_hash BLOB NOT NULL UNIQUE REFERENCES one_time_links (hash) ON DELETE CASCADE CHECK (length(link_hash) = 32),
    email TEXT NOT NULL CHECK (length(email) BETWEEN 3 AND 254),
    tries BIGINT NOT NULL CHECK (tries >= 0),
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL
);
CREATE INDEX residence_registrations_expiry ON residence_registrations (expires_at);
