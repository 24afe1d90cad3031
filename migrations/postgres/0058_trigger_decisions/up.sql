-- What was decided when a trigger of a contract was due.
CREATE TABLE trigger_decisions (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    contract_id TEXT COLLATE "C" NOT NULL REFERENCES contracts (id),
    trigger_number BIGINT NOT NULL CHECK (trigger_number BETWEEN 1 AND 20),
    period BIGINT NOT NULL CHECK (period BETWEEN 1 AND 120),
    periods TEXT COLLATE "C" NOT NULL CHECK (length(periods) BETWEEN 2 AND 1000),
    is_followed BOOLEAN NOT NULL,
    reason_zh TEXT COLLATE "C" CHECK (length(reason_zh) BETWEEN 1 AND 2000),
    reason_en TEXT COLLATE "C" CHECK (length(reason_en) BETWEEN 1 AND 2000),
    rectification_id TEXT COLLATE "C" REFERENCES rectifications (id),
    termination_id TEXT COLLATE "C" REFERENCES contract_terminations (id),
    decided_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    decided_at TIMESTAMP NOT NULL,
    UNIQUE (contract_id, trigger_number, period),
    CHECK ((reason_zh IS NULL) = (reason_en IS NULL)),
    CHECK (is_followed OR reason_zh IS NOT NULL),
    CHECK (is_followed = (rectification_id IS NOT NULL OR termination_id IS NOT NULL)),
    CHECK (rectification_id IS NULL OR termination_id IS NULL)
);
CREATE TRIGGER trigger_decisions_kept
    BEFORE DELETE ON trigger_decisions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER trigger_decisions_fixed
    BEFORE UPDATE ON trigger_decisions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER trigger_decisions_not_emptied BEFORE TRUNCATE ON trigger_decisions EXECUTE FUNCTION refuse_change();
