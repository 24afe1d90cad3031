-- The term of a signed contract in periods, and what of its price belongs to each and to none of them: made in the transaction of the second signature.
CREATE TABLE contract_schedules (
    contract_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES contracts (id),
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('month', 'quarter', 'custom')),
    advance_fen BIGINT NOT NULL CHECK (advance_fen >= 0),
    retention_fen BIGINT NOT NULL CHECK (retention_fen >= 0)
);
CREATE TRIGGER contract_schedules_kept
    BEFORE DELETE ON contract_schedules
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER contract_schedules_fixed
    BEFORE UPDATE ON contract_schedules
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE contract_periods (
    contract_id TEXT COLLATE "C" NOT NULL REFERENCES contract_schedules (contract_id),
    number BIGINT NOT NULL CHECK (number BETWEEN 1 AND 120),
    first_day DATE NOT NULL,
    last_day DATE NOT NULL,
    amount_fen BIGINT NOT NULL CHECK (amount_fen >= 0),
    PRIMARY KEY (contract_id, number),
    UNIQUE (contract_id, first_day),
    CHECK (first_day <= last_day)
);
CREATE TRIGGER contract_periods_kept
    BEFORE DELETE ON contract_periods
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER contract_periods_fixed
    BEFORE UPDATE ON contract_periods
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER contract_schedules_not_emptied BEFORE TRUNCATE ON contract_schedules EXECUTE FUNCTION refuse_change();
CREATE TRIGGER contract_periods_not_emptied BEFORE TRUNCATE ON contract_periods EXECUTE FUNCTION refuse_change();
