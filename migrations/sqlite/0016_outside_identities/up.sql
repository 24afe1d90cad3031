-- Signing in through another provider (OpenID Connect): who somebody is there, and attempts that are under way.

CREATE TABLE outside_identities (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    issuer TEXT NOT NULL CHECK (length(issuer) BETWEEN 1 AND 500),
    subject TEXT NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
    created_at TIMESTAMP NOT NULL,
    used_at TIMESTAMP,
    UNIQUE (issuer, subject)
);
CREATE INDEX outside_identities_account ON outside_identities (account_id);

-- `state_hash` is of what goes through the browser, `holder_hash` of what whoever began keeps. `account_id` is there if an identity
-- is to be linked, `link_hash` if an invitation is to be accepted. `sealed` are the nonce and the verifier of the code, later who it
-- was, encrypted with a key that is not in the database.
CREATE TABLE outside_attempts (
    id TEXT NOT NULL PRIMARY KEY,
    state_hash BLOB NOT NULL UNIQUE CHECK (length(state_hash) = 32),
    holder_hash BLOB NOT NULL UNIQUE CHECK (length(holder_hash) = 32),
    account_id TEXT REFERENCES accounts (id),
    link_hash BLOB CHECK (length(link_hash) = 32),
    sealed BLOB NOT NULL,
    stage TEXT NOT NULL CHECK (stage IN ('begun', 'taken', 'proved', 'done')),
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    CHECK (account_id IS NULL OR link_hash IS NULL)
);
CREATE INDEX outside_attempts_expiry ON outside_attempts (expires_at);
