-- What is known of organisations, version by version; their bank accounts, qualifications and debarments.

-- `credit_code` of `organisations` is that of a public organisation, and so nobody's as long as it is not: whoever registers with
-- another's code holds nothing back from them. `public_at` is when everyone came to know of it.
ALTER TABLE organisations ADD COLUMN registered_by TEXT COLLATE "C";
ALTER TABLE organisations ADD COLUMN public_at TIMESTAMP;
CREATE INDEX organisations_registrants ON organisations (registered_by, id);
CREATE INDEX organisations_places ON organisations (area_id, id);

-- Every change of an organisation, its state included, is a row with everything that held from then on.
CREATE TABLE organisation_versions (
    organisation_id TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    version BIGINT NOT NULL CHECK (version >= 1),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('registered', 'verified', 'refused', 'closed')),
    name_zh TEXT COLLATE "C" NOT NULL CHECK (length(name_zh) BETWEEN 1 AND 100),
    name_en TEXT COLLATE "C" NOT NULL CHECK (length(name_en) BETWEEN 1 AND 100),
    credit_code TEXT COLLATE "C" CHECK (length(credit_code) = 18),
    area_id TEXT COLLATE "C" REFERENCES areas (id),
    legal_representative TEXT COLLATE "C" CHECK (length(legal_representative) BETWEEN 1 AND 100),
    contact_name TEXT COLLATE "C" CHECK (length(contact_name) BETWEEN 1 AND 100),
    phone TEXT COLLATE "C" CHECK (length(phone) BETWEEN 5 AND 30),
    mail TEXT COLLATE "C" CHECK (length(mail) BETWEEN 3 AND 254),
    address TEXT COLLATE "C" CHECK (length(address) BETWEEN 1 AND 200),
    member_count BIGINT CHECK (member_count BETWEEN 1 AND 100000),
    size_class TEXT COLLATE "C" CHECK (size_class IN ('large', 'medium', 'small', 'micro', 'not_applicable')),
    size_derived BOOLEAN,
    size_industry TEXT COLLATE "C",
    size_employees BIGINT CHECK (size_employees >= 0),
    size_revenue_fen BIGINT CHECK (size_revenue_fen >= 0),
    size_assets_fen BIGINT CHECK (size_assets_fen >= 0),
    size_declared_at TIMESTAMP,
    size_declared_by TEXT COLLATE "C",
    verified_by TEXT COLLATE "C",
    verified_at TIMESTAMP,
    evidence TEXT COLLATE "C",
    note TEXT COLLATE "C",
    changed_by TEXT COLLATE "C" NOT NULL,
    changed_at TIMESTAMP NOT NULL,
    PRIMARY KEY (organisation_id, version),
    CHECK ((verified_by IS NULL) = (verified_at IS NULL)),
    CHECK ((size_industry IS NULL) = (size_declared_at IS NULL))
);
CREATE TRIGGER organisation_versions_fixed
    BEFORE UPDATE ON organisation_versions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER organisation_versions_kept
    BEFORE DELETE ON organisation_versions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER organisation_versions_not_emptied BEFORE TRUNCATE ON organisation_versions EXECUTE FUNCTION refuse_change();

-- Bank accounts as they were proposed; the one confirmed last is the organisation's. Decided once.
CREATE TABLE bank_account_changes (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    organisation_id TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    holder TEXT COLLATE "C" NOT NULL CHECK (length(holder) BETWEEN 1 AND 100),
    bank_name TEXT COLLATE "C" NOT NULL CHECK (length(bank_name) BETWEEN 1 AND 100),
    bank_code TEXT COLLATE "C" NOT NULL CHECK (length(bank_code) = 12),
    account_number TEXT COLLATE "C" NOT NULL CHECK (length(account_number) BETWEEN 8 AND 32),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('proposed', 'confirmed', 'withdrawn')),
    proposed_by TEXT COLLATE "C" NOT NULL,
    proposed_at TIMESTAMP NOT NULL,
    decided_by TEXT COLLATE "C",
    decided_at TIMESTAMP,
    CHECK ((state = 'proposed') = (decided_at IS NULL)),
    CHECK ((decided_by IS NULL) = (decided_at IS NULL)),
    CHECK (state <> 'confirmed' OR decided_by <> proposed_by)
);
CREATE UNIQUE INDEX bank_account_changes_open ON bank_account_changes (organisation_id) WHERE state = 'proposed';
CREATE INDEX bank_account_changes_ages ON bank_account_changes (organisation_id, state, decided_at);
CREATE TRIGGER bank_account_changes_kept
    BEFORE DELETE ON bank_account_changes
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER bank_account_changes_not_emptied BEFORE TRUNCATE ON bank_account_changes EXECUTE FUNCTION refuse_change();
CREATE TRIGGER bank_account_changes_decided_once
    BEFORE UPDATE ON bank_account_changes
    FOR EACH ROW WHEN (OLD.state <> 'proposed') EXECUTE FUNCTION refuse_change();
CREATE TRIGGER bank_account_changes_fixed
    BEFORE UPDATE OF id, organisation_id, holder, bank_name, bank_code, account_number, proposed_by, proposed_at ON bank_account_changes
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- What an organisation claims to be licensed for, and what was found of it. Whether it has expired follows from the date.
CREATE TABLE qualifications (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    organisation_id TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    kind TEXT COLLATE "C" NOT NULL CHECK (length(kind) BETWEEN 2 AND 40),
    issuer TEXT COLLATE "C" NOT NULL CHECK (length(issuer) BETWEEN 1 AND 100),
    number TEXT COLLATE "C" NOT NULL CHECK (length(number) BETWEEN 1 AND 60),
    grade TEXT COLLATE "C" CHECK (length(grade) BETWEEN 1 AND 40),
    valid_from DATE NOT NULL,
    valid_to DATE,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('claimed', 'verified', 'refused', 'withdrawn')),
    note TEXT COLLATE "C",
    version BIGINT NOT NULL CHECK (version >= 1),
    claimed_by TEXT COLLATE "C" NOT NULL,
    claimed_at TIMESTAMP NOT NULL,
    decided_by TEXT COLLATE "C",
    decided_at TIMESTAMP,
    CHECK (valid_to IS NULL OR valid_to >= valid_from),
    CHECK ((state = 'claimed') = (decided_at IS NULL)),
    CHECK ((decided_by IS NULL) = (decided_at IS NULL))
);
CREATE INDEX qualifications_owners ON qualifications (organisation_id, id);
CREATE INDEX qualifications_ends ON qualifications (valid_to, id);
CREATE TRIGGER qualifications_kept
    BEFORE DELETE ON qualifications
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER qualifications_not_emptied BEFORE TRUNCATE ON qualifications EXECUTE FUNCTION refuse_change();
CREATE TRIGGER qualifications_fixed
    BEFORE UPDATE OF id, organisation_id, kind, issuer, number, grade, valid_from, valid_to, claimed_by, claimed_at ON qualifications
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Who may not take part in public purchases, from and until which day (both counted in), and whether that ended before.
CREATE TABLE debarments (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    organisation_id TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    from_date DATE NOT NULL,
    until_date DATE NOT NULL,
    reason_zh TEXT COLLATE "C" NOT NULL CHECK (length(reason_zh) BETWEEN 1 AND 1000),
    reason_en TEXT COLLATE "C" NOT NULL CHECK (length(reason_en) BETWEEN 1 AND 1000),
    decision TEXT COLLATE "C" NOT NULL CHECK (length(decision) BETWEEN 1 AND 100),
    recorded_by TEXT COLLATE "C" NOT NULL,
    recorded_at TIMESTAMP NOT NULL,
    lifted_on DATE,
    lift_reason_zh TEXT COLLATE "C" CHECK (length(lift_reason_zh) BETWEEN 1 AND 1000),
    lift_reason_en TEXT COLLATE "C" CHECK (length(lift_reason_en) BETWEEN 1 AND 1000),
    lifted_by TEXT COLLATE "C",
    lifted_at TIMESTAMP,
    CHECK (until_date >= from_date),
    CHECK ((lifted_on IS NULL) = (lifted_at IS NULL)),
    CHECK ((lifted_by IS NULL) = (lifted_at IS NULL)),
    CHECK ((lift_reason_zh IS NULL) = (lifted_at IS NULL)),
    CHECK ((lift_reason_en IS NULL) = (lifted_at IS NULL))
);
CREATE INDEX debarments_owners ON debarments (organisation_id, from_date);
CREATE INDEX debarments_ages ON debarments (from_date, id);
CREATE TRIGGER debarments_kept
    BEFORE DELETE ON debarments
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER debarments_not_emptied BEFORE TRUNCATE ON debarments EXECUTE FUNCTION refuse_change();
CREATE TRIGGER debarments_lifted_once
    BEFORE UPDATE ON debarments
    FOR EACH ROW WHEN (OLD.lifted_at IS NOT NULL) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER debarments_fixed
    BEFORE UPDATE OF id, organisation_id, from_date, until_date, reason_zh, reason_en, decision, recorded_by, recorded_at ON debarments
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
