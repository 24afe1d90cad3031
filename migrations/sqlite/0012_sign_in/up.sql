-- Signing in: passwords, sessions with their refresh tokens, and links that work once. Of every secret only a hash is here.

CREATE TABLE passwords (
    account_id TEXT NOT NULL PRIMARY KEY REFERENCES accounts (id),
    hash TEXT NOT NULL CHECK (hash LIKE '$argon2id$%' AND length(hash) <= 300),
    changed_at TIMESTAMP NOT NULL
);

-- `device_name` is what the client calls itself. No address is kept.
CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    device_name TEXT CHECK (length(device_name) BETWEEN 1 AND 100),
    means TEXT NOT NULL CHECK (means IN ('password', 'code', 'link', 'oidc')),
    second_factor BOOLEAN NOT NULL,
    created_at TIMESTAMP NOT NULL,
    used_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP,
    ended_because TEXT CHECK (ended_because IN ('signed_out', 'signed_out_everywhere', 'reuse_detected', 'password_changed',
        'suspended', 'left')),
    CHECK ((ended_at IS NULL) = (ended_because IS NULL))
);
CREATE INDEX sessions_account ON sessions (account_id, created_at);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Used ones are kept as long as their session, so that one that is shown again is known for what it is.
CREATE TABLE refresh_tokens (
    hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    session_id TEXT NOT NULL REFERENCES sessions (id),
    issued_at TIMESTAMP NOT NULL,
    used_at TIMESTAMP
);
CREATE UNIQUE INDEX refresh_tokens_unused ON refresh_tokens (session_id) WHERE used_at IS NULL;
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);

-- `account_id` is empty in the link that makes the first administrator: there is no account yet.
CREATE TABLE one_time_links (
    hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    purpose TEXT NOT NULL CHECK (purpose IN ('invitation', 'bootstrap', 'password_reset')),
    account_id TEXT REFERENCES accounts (id),
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    used_at TIMESTAMP,
    CHECK ((account_id IS NULL) = (purpose = 'bootstrap'))
);
CREATE INDEX one_time_links_account ON one_time_links (account_id, purpose);
