-- Deputies: one grant of a role, lent to somebody for a time. Revoked, never deleted.
CREATE TABLE deputations (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    grant_id TEXT COLLATE "C" NOT NULL REFERENCES role_grants (id),
    principal_id TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    deputy_id TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    from_at TIMESTAMP NOT NULL,
    until_at TIMESTAMP NOT NULL,
    appointed_at TIMESTAMP NOT NULL,
    revoked_by TEXT COLLATE "C",
    revoked_at TIMESTAMP,
    CHECK (principal_id <> deputy_id),
    CHECK (from_at < until_at),
    CHECK ((revoked_by IS NULL) = (revoked_at IS NULL))
);
CREATE INDEX deputations_deputy ON deputations (deputy_id, until_at);
CREATE INDEX deputations_grant ON deputations (grant_id, until_at);
CREATE INDEX deputations_principal ON deputations (principal_id, id);
CREATE TRIGGER deputations_kept BEFORE DELETE ON deputations FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER deputations_not_emptied BEFORE TRUNCATE ON deputations EXECUTE FUNCTION refuse_change();
CREATE TRIGGER deputations_revoked_once BEFORE UPDATE ON deputations
    FOR EACH ROW WHEN (OLD.revoked_at IS NOT NULL) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER deputations_fixed
    BEFORE UPDATE OF id, grant_id, principal_id, deputy_id, from_at, until_at, appointed_at ON deputations
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Tokens of machines. Only the SHA-256 of one is kept, so that nobody who reads the database can use it.
CREATE TABLE api_tokens (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    account_id TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    name TEXT COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    scopes TEXT COLLATE "C" NOT NULL,
    digest BYTEA NOT NULL UNIQUE CHECK (length(digest) = 32),
    strong BOOLEAN NOT NULL,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    revoked_at TIMESTAMP,
    last_used_at TIMESTAMP,
    CHECK (created_at < expires_at)
);
CREATE INDEX api_tokens_account ON api_tokens (account_id, id);
