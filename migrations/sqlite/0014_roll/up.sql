-- The residents' roll of each community: who lives in which household. What is personal is empty once a person is erased; the
-- row stays, because frozen rolls and ballots count it.

-- `code` is building, unit and room. `dwelling_area_dm2` is in hundredths of a square metre; empty where it is not known.
CREATE TABLE households (
    id TEXT NOT NULL PRIMARY KEY,
    area_id TEXT NOT NULL REFERENCES areas (id),
    code TEXT NOT NULL CHECK (length(code) BETWEEN 1 AND 50),
    dwelling_area_dm2 BIGINT CHECK (dwelling_area_dm2 BETWEEN 1 AND 10000000),
    version BIGINT NOT NULL CHECK (version >= 1),
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX households_codes ON households (area_id, code);

CREATE TABLE residents (
    id TEXT NOT NULL PRIMARY KEY,
    area_id TEXT NOT NULL REFERENCES areas (id),
    household_id TEXT REFERENCES households (id),
    name TEXT CHECK (length(name) BETWEEN 1 AND 100),
    birth_date DATE,
    is_owner BOOLEAN NOT NULL,
    phone TEXT CHECK (length(phone) BETWEEN 5 AND 20),
    email TEXT CHECK (length(email) BETWEEN 3 AND 254),
    account_id TEXT REFERENCES accounts (id),
    state TEXT NOT NULL CHECK (state IN ('active', 'moved_away', 'deceased', 'erased')),
    entered_on DATE NOT NULL,
    left_on DATE,
    version BIGINT NOT NULL CHECK (version >= 1),
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CHECK ((state = 'active') = (left_on IS NULL)),
    CHECK (state <> 'erased' OR (household_id IS NULL AND name IS NULL AND birth_date IS NULL AND NOT is_owner
        AND phone IS NULL AND email IS NULL AND account_id IS NULL)),
    CHECK (state = 'erased' OR (household_id IS NOT NULL AND name IS NOT NULL AND birth_date IS NOT NULL))
);
CREATE UNIQUE INDEX residents_once ON residents (household_id, name, birth_date) WHERE state = 'active';
CREATE UNIQUE INDEX residents_account ON residents (account_id, area_id) WHERE state = 'active';
CREATE INDEX residents_of_account ON residents (account_id);
CREATE INDEX residents_ages ON residents (area_id, state, birth_date);
CREATE INDEX residents_household ON residents (household_id, state);

-- The letter with which a resident may claim their place on the roll: at most one each. Its codes are kept as hashes only.
CREATE TABLE invitation_letters (
    resident_id TEXT NOT NULL PRIMARY KEY REFERENCES residents (id),
    link_hash BLOB NOT NULL UNIQUE CHECK (length(link_hash) = 32),
    code_hash BLOB NOT NULL UNIQUE CHECK (length(code_hash) = 32),
    printed_by TEXT NOT NULL,
    printed_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL
);
