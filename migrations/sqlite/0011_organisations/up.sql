-- What is known of organisations, version by version; their bank accounts, qualifications and debarments.

-- `credit_code` of `organisations` is that of a public organisation, and so nobody's as long as it is not: whoever registers with
-- another's code holds nothing back from them. `public_at` is when everyone came to know of it.
ALTER TABLE organisations ADD COLUMN registered_by TEXT;
ALTER TABLE organisations ADD COLUMN public_at TIMESTAMP;
CREATE INDEX organisations_registrants ON organisations (registered_by, id);
CREATE INDEX organisations_places ON organisations (area_id, id);

-- Every change of an organisation, its state included, is a row with everything that held from then on.
CREATE TABLE organisation_versions (
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    version BIGINT NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (state IN ('registered', 'verified', 'refused', 'closed')),
    name_zh TEXT NOT NULL CHECK (length(name_zh) BETWEEN 1 AND 100),
    name_en TEXT NOT NULL CHECK (length(name_en) BETWEEN 1 AND 100),
    credit_code TEXT CHECK (length(credit_code) = 18),
    area_id TEXT REFERENCES areas (id),
    legal_representative TEXT CHECK (length(legal_representative) BETWEEN 1 AND 100),
    contact_name TEXT CHECK (length(contact_name) BETWEEN 1 AND 100),
    phone TEXT CHECK (length(phone) BETWEEN 5 AND 30),
    mail TEXT CHECK (length(mail) BETWEEN 3 AND 254),
    address TEXT CHECK (length(address) BETWEEN 1 AND 200),
    member_count BIGINT CHECK (member_count BETWEEN 1 AND 100000),
    size_class TEXT CHECK (size_class IN ('large', 'medium', 'small', 'micro', 'not_applicable')),
    size_derived BOOLEAN,
    size_industry TEXT,
    size_employees BIGINT CHECK (size_employees >= 0),
    size_revenue_fen BIGINT CHECK (size_revenue_fen >= 0),
    size_assets_fen BIGINT CHECK (size_assets_fen >= 0),
    size_declared_at TIMESTAMP,
    size_declared_by TEXT,
    verified_by TEXT,
    verified_at TIMESTAMP,
    evidence TEXT,
    note TEXT,
    changed_by TEXT NOT NULL,
    changed_at TIMESTAMP NOT NULL,
    PRIMARY KEY (organisation_id, version),
    CHECK ((verified_by IS NULL) = (verified_at IS NULL)),
    CHECK ((size_industry IS NULL) = (size_declared_at IS NULL))
);
CREATE TRIGGER organisation_versions_fixed BEFORE UPDATE ON organisation_versions
BEGIN SELECT RAISE(ABORT, 'organisation_versions is append-only'); END;
CREATE TRIGGER organisation_versions_kept BEFORE DELETE ON organisation_versions
BEGIN SELECT RAISE(ABORT, 'organisation_versions is append-only'); END;

-- Bank accounts as they were proposed; the one confirmed last is the organisation's. Decided once.
CREATE TABLE bank_account_changes (
    id TEXT NOT NULL PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    holder TEXT NOT NULL CHECK (length(holder) BETWEEN 1 AND 100),
    bank_name TEXT NOT NULL CHECK (length(bank_name) BETWEEN 1 AND 100),
    bank_code TEXT NOT NULL CHECK (length(bank_code) = 12),
    account_number TEXT NOT NULL CHECK (length(account_number) BETWEEN 8 AND 32),
    state TEXT NOT NULL CHECK (state IN ('proposed', 'confirmed', 'withdrawn')),
    proposed_by TEXT NOT NULL,
    proposed_at TIMESTAMP NOT NULL,
    decided_by TEXT,
    decided_at TIMESTAMP,
    CHECK ((state = 'proposed') = (decided_at IS NULL)),
    CHECK ((decided_by IS NULL) = (decided_at IS NULL)),
    CHECK (state <> 'confirmed' OR decided_by <> proposed_by)
);
CREATE UNIQUE INDEX bank_account_changes_open ON bank_account_changes (organisation_id) WHERE state = 'proposed';
CREATE INDEX bank_account_changes_ages ON bank_account_changes (organisation_id, state, decided_at);
CREATE TRIGGER bank_account_changes_kept BEFORE DELETE ON bank_account_changes
BEGIN SELECT RAISE(ABORT, 'bank_account_changes is append-only'); END;
CREATE TRIGGER bank_account_changes_decided_once BEFORE UPDATE ON bank_account_changes WHEN OLD.state <> 'proposed'
BEGIN SELECT RAISE(ABORT, 'bank_account_changes is append-only'); END;
CREATE TRIGGER bank_account_changes_fixed
    BEFORE UPDATE OF id, organisation_id, holder, bank_name, bank_code, account_number, proposed_by, proposed_at
    ON bank_account_changes
BEGIN SELECT RAISE(ABORT, 'bank_account_changes is append-only'); END;

-- What an organisation claims to be licensed for, and what was found of it. Whether it has expired follows from the date.
CREATE TABLE qualifications (
    id TEXT NOT NULL PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    kind TEXT NOT NULL CHECK (length(kind) BETWEEN 2 AND 40),
    issuer TEXT NOT NULL CHECK (length(issuer) BETWEEN 1 AND 100),
    number TEXT NOT NULL CHECK (length(number) BETWEEN 1 AND 60),
    grade TEXT CHECK (length(grade) BETWEEN 1 AND 40),
    valid_from DATE NOT NULL,
    valid_to DATE,
    state TEXT NOT NULL CHECK (state IN ('claimed', 'verified', 'refused', 'withdrawn')),
    note TEXT,
    version BIGINT NOT NULL CHECK (version >= 1),
    claimed_by TEXT NOT NULL,
    claimed_at TIMESTAMP NOT NULL,
    decided_by TEXT,
    decided_at TIMESTAMP,
    CHECK (valid_to IS NULL OR valid_to >= valid_from),
    CHECK ((state = 'claimed') = (decided_at IS NULL)),
    CHECK ((decided_by IS NULL) = (decided_at IS NULL))
);
CREATE INDEX qualifications_owners ON qualifications (organisation_id, id);
CREATE INDEX qualifications_ends ON qualifications (valid_to, id);
CREATE TRIGGER qualifications_kept BEFORE DELETE ON qualifications
BEGIN SELECT RAISE(ABORT, 'qualifications is append-only'); END;
CREATE TRIGGER qualifications_fixed
    BEFORE UPDATE OF id, organisation_id, kind, issuer, number, grade, valid_from, valid_to, claimed_by, claimed_at
    ON qualifications
BEGIN SELECT RAISE(ABORT, 'qualifications is append-only'); END;

-- Who may not take part in public purchases, from and until which day (both counted in), and whether that ended before.
CREATE TABLE debarments (
    id TEXT NOT NULL PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    from_date DATE NOT NULL,
    until_date DATE NOT NULL,
    reason_zh TEXT NOT NULL CHECK (length(reason_zh) BETWEEN 1 AND 1000),
    reason_en TEXT NOT NULL CHECK (length(reason_en) BETWEEN 1 AND 1000),
    decision TEXT NOT NULL CHECK (length(decision) BETWEEN 1 AND 100),
    recorded_by TEXT NOT NULL,
    recorded_at TIMESTAMP NOT NULL,
    lifted_on DATE,
    lift_reason_zh TEXT CHECK (length(lift_reason_zh) BETWEEN 1 AND 1000),
    lift_reason_en TEXT CHECK (length(lift_reason_en) BETWEEN 1 AND 1000),
    lifted_by TEXT,
    lifted_at TIMESTAMP,
    CHECK (until_date >= from_date),
    CHECK ((lifted_on IS NULL) = (lifted_at IS NULL)),
    CHECK ((lifted_by IS NULL) = (lifted_at IS NULL)),
    CHECK ((lift_reason_zh IS NULL) = (lifted_at IS NULL)),
    CHECK ((lift_reason_en IS NULL) = (lifted_at IS NULL))
);
CREATE INDEX debarments_owners ON debarments (organisation_id, from_date);
CREATE INDEX debarments_ages ON debarments (from_date, id);
CREATE TRIGGER debarments_kept BEFORE DELETE ON debarments
BEGIN SELECT RAISE(ABORT, 'debarments is append-only'); END;
CREATE TRIGGER debarments_lifted_once BEFORE UPDATE ON debarments WHEN OLD.lifted_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'debarments is append-only'); END;
CREATE TRIGGER debarments_fixed
    BEFORE UPDATE OF id, organisation_id, from_date, until_date, reason_zh, reason_en, decision, recorded_by, recorded_at
    ON debarments
BEGIN SELECT RAISE(ABORT, 'debarments is append-only'); END;
