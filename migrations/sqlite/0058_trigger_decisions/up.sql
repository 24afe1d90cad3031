-- What was decided when a trigger of a contract was due.
CREATE TABLE trigger_decisions (
    id TEXT NOT NULL PRIMARY KEY,
    contract_id TEXT NOT NULL REFERENCES contracts (id),
    trigger_number BIGINT NOT NULL CHECK (trigger_number BETWEEN 1 AND 20),
    period BIGINT NOT NULL CHECK (period BETWEEN 1 AND 120),
    periods TEXT NOT NULL CHECK (length(periods) BETWEEN 2 AND 1000),
    is_followed BOOLEAN NOT NULL,
    reason_zh TEXT CHECK (length(reason_zh) BETWEEN 1 AND 2000),
    reason_en TEXT CHECK (length(reason_en) BETWEEN 1 AND 2000),
    rectification_id TEXT REFERENCES rectifications (id),
    termination_id TEXT REFERENCES contract_terminations (id),
    decided_by TEXT NOT NULL REFERENCES accounts (id),
    decided_at TIMESTAMP NOT NULL,
    UNIQUE (contract_id, trigger_number, period),
    CHECK ((reason_zh IS NULL) = (reason_en IS NULL)),
    CHECK (is_followed OR reason_zh IS NOT NULL),
    CHECK (is_followed = (rectification_id IS NOT NULL OR termination_id IS NOT NULL)),
    CHECK (rectification_id IS NULL OR termination_id IS NULL)
);
CREATE TRIGGER trigger_decisions_kept BEFORE DELETE ON trigger_decisions
BEGIN SELECT RAISE(ABORT, 'trigger_decisions is append-only'); END;
CREATE TRIGGER trigger_decisions_fixed BEFORE UPDATE ON trigger_decisions
BEGIN SELECT RAISE(ABORT, 'trigger_decisions is append-only'); END;
