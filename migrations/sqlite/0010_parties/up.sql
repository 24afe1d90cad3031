-- Who acts: organisations, accounts of people, and which account may act in which capacity for whom.

CREATE TABLE organisations (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('department', 'street_office', 'community', 'company', 'social_organisation',
        'residents_group', 'audit_office', 'finance_bureau')),
    name_zh TEXT NOT NULL CHECK (length(name_zh) BETWEEN 1 AND 100),
    name_en TEXT NOT NULL CHECK (length(name_en) BETWEEN 1 AND 100),
    credit_code TEXT UNIQUE CHECK (length(credit_code) = 18),
    area_id TEXT REFERENCES areas (id),
    state TEXT NOT NULL CHECK (state IN ('registered', 'verified', 'refused', 'closed')),
    version BIGINT NOT NULL CHECK (version >= 1),
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
CREATE INDEX organisations_names ON organisations (name_zh, id);
CREATE INDEX organisations_ages ON organisations (created_at, id);

-- `email` is in lower case. It and the name are empty once the person is erased; the row stays, so that history does.
CREATE TABLE accounts (
    id TEXT NOT NULL PRIMARY KEY,
    email TEXT UNIQUE CHECK (length(email) BETWEEN 3 AND 254),
    display_name TEXT CHECK (length(display_name) BETWEEN 1 AND 100),
    language TEXT NOT NULL CHECK (language IN ('zh-CN', 'en')),
    state TEXT NOT NULL CHECK (state IN ('invited', 'active', 'suspended', 'left')),
    version BIGINT NOT NULL CHECK (version >= 1),
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
CREATE INDEX accounts_ages ON accounts (created_at, id);

-- A grant is ended, never deleted: who could do what at which time stays known.
CREATE TABLE role_grants (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    role TEXT NOT NULL,
    organisation_id TEXT REFERENCES organisations (id),
    area_id TEXT REFERENCES areas (id),
    granted_by TEXT NOT NULL,
    granted_at TIMESTAMP NOT NULL,
    ended_by TEXT,
    ended_at TIMESTAMP,
    CHECK ((ended_by IS NULL) = (ended_at IS NULL))
);
CREATE UNIQUE INDEX role_grants_once ON role_grants (account_id, role, coalesce(organisation_id, ''), coalesce(area_id, ''))
    WHERE ended_at IS NULL;
CREATE INDEX role_grants_organisation ON role_grants (organisation_id, account_id);
CREATE INDEX role_grants_area ON role_grants (area_id, account_id);
CREATE TRIGGER role_grants_kept BEFORE DELETE ON role_grants
BEGIN SELECT RAISE(ABORT, 'role_grants is append-only'); END;
CREATE TRIGGER role_grants_ended_once BEFORE UPDATE ON role_grants WHEN OLD.ended_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'role_grants is append-only'); END;
CREATE TRIGGER role_grants_fixed
    BEFORE UPDATE OF id, account_id, role, organisation_id, area_id, granted_by, granted_at ON role_grants
BEGIN SELECT RAISE(ABORT, 'role_grants is append-only'); END;
