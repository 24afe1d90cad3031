-- Notices to contractors of what is to be put right (整改).
CREATE TABLE rectifications (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    contract_id TEXT COLLATE "C" NOT NULL REFERENCES contracts (id),
    number BIGINT NOT NULL CHECK (number BETWEEN 1 AND 1000),
    wrong_zh TEXT COLLATE "C" NOT NULL CHECK (length(wrong_zh) BETWEEN 1 AND 2000),
    wrong_en TEXT COLLATE "C" NOT NULL CHECK (length(wrong_en) BETWEEN 1 AND 2000),
    matters TEXT COLLATE "C" NOT NULL CHECK (length(matters) BETWEEN 2 AND 4000),
    indicators TEXT COLLATE "C" NOT NULL CHECK (length(indicators) BETWEEN 2 AND 4000),
    cause TEXT COLLATE "C" NOT NULL CHECK (cause IN ('notice', 'trigger', 'manager')),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('issued', 'reported', 'accepted', 'withdrawn')),
    issued_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    issued_at TIMESTAMP NOT NULL,
    acknowledged_by TEXT COLLATE "C" REFERENCES accounts (id),
    acknowledged_at TIMESTAMP,
    closed_at TIMESTAMP,
    withdrawal_zh TEXT COLLATE "C" CHECK (length(withdrawal_zh) BETWEEN 1 AND 2000),
    withdrawal_en TEXT COLLATE "C" CHECK (length(withdrawal_en) BETWEEN 1 AND 2000),
    revision BIGINT NOT NULL CHECK (revision >= 1),
    UNIQUE (contract_id, number),
    CHECK ((acknowledged_by IS NULL) = (acknowledged_at IS NULL)),
    CHECK ((closed_at IS NOT NULL) = (state IN ('accepted', 'withdrawn'))),
    CHECK ((withdrawal_zh IS NOT NULL) = (state = 'withdrawn')),
    CHECK ((withdrawal_zh IS NULL) = (withdrawal_en IS NULL))
);
CREATE TRIGGER rectifications_kept
    BEFORE DELETE ON rectifications
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER rectifications_fixed
    BEFORE UPDATE OF id, contract_id, number, wrong_zh, wrong_en, matters, indicators, cause, issued_by, issued_at ON rectifications
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER rectifications_forward
    BEFORE UPDATE ON rectifications
    FOR EACH ROW WHEN (OLD.state IN ('accepted', 'withdrawn') OR NEW.revision <> OLD.revision + 1 OR (OLD.acknowledged_at IS NOT NULL AND NEW.acknowledged_at IS NULL)) EXECUTE FUNCTION refuse_change();

-- Each time that a rectification was due, what was reported, and what was decided of it.
CREATE TABLE rectification_rounds (
    rectification_id TEXT COLLATE "C" NOT NULL REFERENCES rectifications (id),
    number BIGINT NOT NULL CHECK (number BETWEEN 1 AND 20),
    due_at TIMESTAMP NOT NULL,
    report TEXT COLLATE "C" CHECK (length(report) BETWEEN 1 AND 2000),
    reported_by TEXT COLLATE "C" REFERENCES accounts (id),
    reported_at TIMESTAMP,
    is_accepted BOOLEAN,
    decision_zh TEXT COLLATE "C" CHECK (length(decision_zh) BETWEEN 1 AND 2000),
    decision_en TEXT COLLATE "C" CHECK (length(decision_en) BETWEEN 1 AND 2000),
    decided_by TEXT COLLATE "C" REFERENCES accounts (id),
    decided_at TIMESTAMP,
    PRIMARY KEY (rectification_id, number),
    CHECK ((report IS NULL) = (reported_at IS NULL)),
    CHECK ((reported_by IS NULL) = (reported_at IS NULL)),
    CHECK ((is_accepted IS NULL) = (decided_at IS NULL)),
    CHECK ((decision_zh IS NULL) = (decided_at IS NULL)),
    CHECK ((decision_en IS NULL) = (decided_at IS NULL)),
    CHECK ((decided_by IS NULL) = (decided_at IS NULL)),
    CHECK (decided_at IS NULL OR reported_at IS NOT NULL)
);
CREATE TRIGGER rectification_rounds_kept
    BEFORE DELETE ON rectification_rounds
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER rectification_rounds_fixed
    BEFORE UPDATE OF rectification_id, number, due_at ON rectification_rounds
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER rectification_rounds_forward
    BEFORE UPDATE ON rectification_rounds
    FOR EACH ROW WHEN (OLD.decided_at IS NOT NULL OR (OLD.reported_at IS NOT NULL AND (NEW.report IS NULL OR NEW.report <> OLD.report OR NEW.reported_at <> OLD.reported_at OR NEW.reported_by <> OLD.reported_by))) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER rectifications_not_emptied BEFORE TRUNCATE ON rectifications EXECUTE FUNCTION refuse_change();
CREATE TRIGGER rectification_rounds_not_emptied BEFORE TRUNCATE ON rectification_rounds EXECUTE FUNCTION refuse_change();
