-- One-time codes by mail, and second factors. A code is kept as a MAC whose key is not in the database, the secret of a second
-- factor encrypted with such a key, a recovery code as a hash.

CREATE TABLE sign_in_codes (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    account_id TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    mac BYTEA NOT NULL CHECK (length(mac) = 32),
    attempts BIGINT NOT NULL CHECK (attempts BETWEEN 0 AND 5),
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    used_at TIMESTAMP
);
CREATE INDEX sign_in_codes_expiry ON sign_in_codes (expires_at);
CREATE INDEX one_time_links_expiry ON one_time_links (expires_at);

-- One that is not confirmed counts for nothing. `last_step` is the newest time step whose code was used.
CREATE TABLE second_factors (
    account_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES accounts (id),
    sealed BYTEA NOT NULL,
    last_step BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    confirmed_at TIMESTAMP
);

CREATE TABLE recovery_codes (
    account_id TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    hash BYTEA NOT NULL CHECK (length(hash) = 32),
    used_at TIMESTAMP,
    PRIMARY KEY (account_id, hash)
);
