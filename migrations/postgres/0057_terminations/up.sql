-- Proposals to end contracts before their time, and what was decided of them.
CREATE TABLE contract_terminations (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    contract_id TEXT COLLATE "C" NOT NULL REFERENCES contracts (id),
    ground TEXT COLLATE "C" NOT NULL CHECK (ground IN ('trigger', 'breach', 'agreement', 'force_majeure', 'supplier_request')),
    reason_zh TEXT COLLATE "C" NOT NULL CHECK (length(reason_zh) BETWEEN 1 AND 2000),
    reason_en TEXT COLLATE "C" NOT NULL CHECK (length(reason_en) BETWEEN 1 AND 2000),
    effective_on DATE NOT NULL,
    settlement_fen BIGINT NOT NULL CHECK (settlement_fen >= 0),
    basis_zh TEXT COLLATE "C" NOT NULL CHECK (length(basis_zh) BETWEEN 1 AND 2000),
    basis_en TEXT COLLATE "C" NOT NULL CHECK (length(basis_en) BETWEEN 1 AND 2000),
    statement_until DATE NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('proposed', 'decided', 'rejected', 'withdrawn')),
    proposed_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    proposed_at TIMESTAMP NOT NULL,
    statement TEXT COLLATE "C" CHECK (length(statement) BETWEEN 1 AND 2000),
    stated_by TEXT COLLATE "C" REFERENCES accounts (id),
    stated_at TIMESTAMP,
    decision_zh TEXT COLLATE "C" CHECK (length(decision_zh) BETWEEN 1 AND 2000),
    decision_en TEXT COLLATE "C" CHECK (length(decision_en) BETWEEN 1 AND 2000),
    closed_by TEXT COLLATE "C" REFERENCES accounts (id),
    closed_at TIMESTAMP,
    revision BIGINT NOT NULL CHECK (revision >= 1),
    CHECK ((statement IS NULL) = (stated_at IS NULL)),
    CHECK ((stated_by IS NULL) = (stated_at IS NULL)),
    CHECK ((state = 'proposed') = (closed_at IS NULL)),
    CHECK ((closed_by IS NULL) = (closed_at IS NULL)),
    CHECK ((decision_zh IS NULL) = (closed_at IS NULL)),
    CHECK ((decision_en IS NULL) = (closed_at IS NULL))
);
CREATE UNIQUE INDEX contract_terminations_standing ON contract_terminations (contract_id) WHERE state IN ('proposed', 'decided');
CREATE INDEX contract_terminations_of ON contract_terminations (contract_id, id);
CREATE TRIGGER contract_terminations_kept
    BEFORE DELETE ON contract_terminations
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER contract_terminations_fixed
    BEFORE UPDATE OF id, contract_id, ground, reason_zh, reason_en, effective_on, settlement_fen, basis_zh, basis_en, statement_until, proposed_by, proposed_at ON contract_terminations
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER contract_terminations_forward
    BEFORE UPDATE ON contract_terminations
    FOR EACH ROW WHEN (OLD.state <> 'proposed' OR NEW.revision <> OLD.revision + 1 OR (OLD.stated_at IS NOT NULL AND (NEW.statement IS NULL OR NEW.statement <> OLD.statement))) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER contract_terminations_not_emptied BEFORE TRUNCATE ON contract_terminations EXECUTE FUNCTION refuse_change();
