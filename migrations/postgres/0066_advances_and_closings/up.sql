-- What was taken back of an advance with what was certified of a period (预付款扣回). Claims are the table of a later migration, so that no key refers to them.
CREATE TABLE advance_recoveries (
    claim_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    amount_fen BIGINT NOT NULL CHECK (amount_fen BETWEEN 1 AND 9000000000000000)
);
CREATE TRIGGER advance_recoveries_kept
    BEFORE DELETE ON advance_recoveries
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER advance_recoveries_fixed
    BEFORE UPDATE ON advance_recoveries
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- That a period has nothing to be paid any more, so that what was deducted of it goes back to the line (结清), with the derivation that this rests on.
CREATE TABLE period_closings (
    contract_id TEXT COLLATE "C" NOT NULL REFERENCES contracts (id),
    period BIGINT NOT NULL CHECK (period BETWEEN 1 AND 120),
    acceptance_id TEXT COLLATE "C" NOT NULL REFERENCES contract_acceptances (id),
    recovered_fen BIGINT NOT NULL CHECK (recovered_fen BETWEEN 0 AND 9000000000000000),
    released_fen BIGINT NOT NULL CHECK (released_fen BETWEEN 0 AND 9000000000000000),
    content TEXT COLLATE "C" NOT NULL CHECK (length(content) BETWEEN 2 AND 4194304),
    content_sha256 BYTEA NOT NULL CHECK (length(content_sha256) = 32),
    closed_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    closed_at TIMESTAMP NOT NULL,
    PRIMARY KEY (contract_id, period)
);
CREATE TRIGGER period_closings_kept
    BEFORE DELETE ON period_closings
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER period_closings_fixed
    BEFORE UPDATE ON period_closings
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- What was counted of the penalties that the contract names when a period was closed, and why.
CREATE TABLE period_closing_penalties (
    contract_id TEXT COLLATE "C" NOT NULL,
    period BIGINT NOT NULL,
    penalty BIGINT NOT NULL CHECK (penalty BETWEEN 1 AND 50),
    count BIGINT NOT NULL CHECK (count BETWEEN 1 AND 10000),
    reason_zh TEXT COLLATE "C" NOT NULL CHECK (length(reason_zh) BETWEEN 1 AND 500),
    reason_en TEXT COLLATE "C" NOT NULL CHECK (length(reason_en) BETWEEN 1 AND 500),
    PRIMARY KEY (contract_id, period, penalty),
    FOREIGN KEY (contract_id, period) REFERENCES period_closings (contract_id, period)
);
CREATE TRIGGER period_closing_penalties_kept
    BEFORE DELETE ON period_closing_penalties
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER period_closing_penalties_fixed
    BEFORE UPDATE ON period_closing_penalties
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
