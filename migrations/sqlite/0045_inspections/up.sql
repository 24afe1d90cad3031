-- Where is inspected in a period, by lot. The seed stays here until the plan is disclosed; its hash is in the log from the draw on.
CREATE TABLE inspection_plans (
    id TEXT NOT NULL PRIMARY KEY,
    contract_id TEXT NOT NULL,
    period BIGINT NOT NULL,
    source TEXT NOT NULL CHECK (length(source) BETWEEN 1 AND 20),
    number BIGINT NOT NULL CHECK (number BETWEEN 1 AND 100),
    stops BIGINT NOT NULL CHECK (stops BETWEEN 1 AND 50),
    seed BLOB NOT NULL CHECK (length(seed) = 32),
    candidates TEXT NOT NULL CHECK (length(candidates) BETWEEN 2 AND 200000),
    candidates_sha256 BLOB NOT NULL CHECK (length(candidates_sha256) = 32),
    drawn_by TEXT NOT NULL REFERENCES accounts (id),
    drawn_at TIMESTAMP NOT NULL,
    FOREIGN KEY (contract_id, period) REFERENCES contract_periods (contract_id, number),
    UNIQUE (contract_id, period, source, number)
);
CREATE INDEX inspection_plans_of ON inspection_plans (contract_id, id);
CREATE TRIGGER inspection_plans_kept BEFORE DELETE ON inspection_plans
BEGIN SELECT RAISE(ABORT, 'inspection_plans is append-only'); END;
CREATE TRIGGER inspection_plans_fixed BEFORE UPDATE ON inspection_plans
BEGIN SELECT RAISE(ABORT, 'inspection_plans is append-only'); END;

-- Stops of a plan that cannot be inspected, and why.
CREATE TABLE inspection_omissions (
    plan_id TEXT NOT NULL REFERENCES inspection_plans (id),
    stop BIGINT NOT NULL CHECK (stop BETWEEN 1 AND 50),
    reason TEXT NOT NULL CHECK (length(reason) BETWEEN 1 AND 2000),
    omitted_by TEXT NOT NULL REFERENCES accounts (id),
    omitted_at TIMESTAMP NOT NULL,
    PRIMARY KEY (plan_id, stop)
);
CREATE TRIGGER inspection_omissions_kept BEFORE DELETE ON inspection_omissions
BEGIN SELECT RAISE(ABORT, 'inspection_omissions is append-only'); END;
CREATE TRIGGER inspection_omissions_fixed BEFORE UPDATE ON inspection_omissions
BEGIN SELECT RAISE(ABORT, 'inspection_omissions is append-only'); END;

-- Inspections, each as the bytes whose hash the log has. A mistake is annulled, and never written over.
CREATE TABLE inspections (
    id TEXT NOT NULL PRIMARY KEY,
    contract_id TEXT NOT NULL,
    period BIGINT NOT NULL,
    source TEXT NOT NULL CHECK (length(source) BETWEEN 1 AND 20),
    plan_id TEXT REFERENCES inspection_plans (id),
    stop BIGINT CHECK (stop BETWEEN 1 AND 50),
    inspector_id TEXT NOT NULL REFERENCES accounts (id),
    inspected_on DATE NOT NULL,
    recorded_at TIMESTAMP NOT NULL,
    contest_until DATE NOT NULL,
    score TEXT CHECK (length(score) BETWEEN 1 AND 12),
    content TEXT NOT NULL CHECK (length(content) BETWEEN 2 AND 1048576),
    content_sha256 BLOB NOT NULL CHECK (length(content_sha256) = 32),
    FOREIGN KEY (contract_id, period) REFERENCES contract_periods (contract_id, number),
    CHECK ((plan_id IS NULL) = (stop IS NULL))
);
CREATE INDEX inspections_of ON inspections (contract_id, id);
CREATE INDEX inspections_of_period ON inspections (contract_id, period, id);
CREATE INDEX inspections_of_plan ON inspections (plan_id, stop);
CREATE TRIGGER inspections_kept BEFORE DELETE ON inspections
BEGIN SELECT RAISE(ABORT, 'inspections is append-only'); END;
CREATE TRIGGER inspections_fixed BEFORE UPDATE ON inspections
BEGIN SELECT RAISE(ABORT, 'inspections is append-only'); END;

CREATE TABLE inspection_annulments (
    inspection_id TEXT NOT NULL PRIMARY KEY REFERENCES inspections (id),
    reason TEXT NOT NULL CHECK (length(reason) BETWEEN 1 AND 2000),
    annulled_by TEXT NOT NULL REFERENCES accounts (id),
    annulled_at TIMESTAMP NOT NULL
);
CREATE TRIGGER inspection_annulments_kept BEFORE DELETE ON inspection_annulments
BEGIN SELECT RAISE(ABORT, 'inspection_annulments is append-only'); END;
CREATE TRIGGER inspection_annulments_fixed BEFORE UPDATE ON inspection_annulments
BEGIN SELECT RAISE(ABORT, 'inspection_annulments is append-only'); END;

-- What the contractor contests of an inspection: each item once. A decision is added once.
CREATE TABLE inspection_contests (
    id TEXT NOT NULL PRIMARY KEY,
    inspection_id TEXT NOT NULL REFERENCES inspections (id),
    item BIGINT NOT NULL CHECK (item BETWEEN 1 AND 300),
    state TEXT NOT NULL CHECK (state IN ('filed', 'upheld', 'rejected')),
    reason TEXT NOT NULL CHECK (length(reason) BETWEEN 1 AND 2000),
    filed_by TEXT NOT NULL REFERENCES accounts (id),
    filed_at TIMESTAMP NOT NULL,
    revision BIGINT NOT NULL CHECK (revision >= 1),
    decision TEXT CHECK (length(decision) BETWEEN 1 AND 2000),
    corrected TEXT CHECK (length(corrected) BETWEEN 2 AND 20000),
    decided_by TEXT REFERENCES accounts (id),
    decided_at TIMESTAMP,
    UNIQUE (inspection_id, item),
    CHECK ((state = 'filed') = (decided_at IS NULL)),
    CHECK ((decided_at IS NULL) = (decision IS NULL)),
    CHECK ((decided_at IS NULL) = (decided_by IS NULL)),
    CHECK ((state = 'upheld') = (corrected IS NOT NULL))
);
CREATE TRIGGER inspection_contests_kept BEFORE DELETE ON inspection_contests
BEGIN SELECT RAISE(ABORT, 'inspection_contests is append-only'); END;
CREATE TRIGGER inspection_contests_fixed BEFORE UPDATE OF id, inspection_id, item, reason, filed_by, filed_at ON inspection_contests
BEGIN SELECT RAISE(ABORT, 'inspection_contests is append-only'); END;
CREATE TRIGGER inspection_contests_once BEFORE UPDATE ON inspection_contests
    WHEN OLD.state <> 'filed' OR NEW.revision <> OLD.revision + 1
BEGIN SELECT RAISE(ABORT, 'inspection_contests is append-only'); END;
