-- Claims (请款) of contractors: for a period, the advance, the retention, or the settlement of a contract that was ended; each goes from hand to hand until it is paid.
CREATE TABLE payment_claims (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    contract_id TEXT COLLATE "C" NOT NULL REFERENCES contracts (id),
    number BIGINT NOT NULL CHECK (number BETWEEN 1 AND 1000),
    supplier_id TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('period', 'advance', 'retention', 'settlement')),
    period BIGINT CHECK (period BETWEEN 1 AND 120),
    invoice_number TEXT COLLATE "C" NOT NULL CHECK (length(invoice_number) BETWEEN 1 AND 40),
    invoice_on DATE NOT NULL,
    amount_fen BIGINT NOT NULL CHECK (amount_fen BETWEEN 1 AND 9000000000000000),
    bank_account_id TEXT COLLATE "C" NOT NULL REFERENCES bank_account_changes (id),
    claimed_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    claimed_at TIMESTAMP NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('claimed', 'certified', 'approved', 'executed', 'confirmed', 'returned', 'failed')),
    approved_by TEXT COLLATE "C" REFERENCES accounts (id),
    approved_at TIMESTAMP,
    ended_zh TEXT COLLATE "C" CHECK (length(ended_zh) BETWEEN 1 AND 2000),
    ended_en TEXT COLLATE "C" CHECK (length(ended_en) BETWEEN 1 AND 2000),
    ended_by TEXT COLLATE "C" REFERENCES accounts (id),
    ended_at TIMESTAMP,
    revision BIGINT NOT NULL CHECK (revision >= 1),
    UNIQUE (contract_id, number),
    CHECK ((kind = 'period') = (period IS NOT NULL)),
    CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
    CHECK (approved_at IS NOT NULL OR state NOT IN ('approved', 'executed', 'confirmed', 'failed')),
    CHECK (approved_at IS NULL OR state NOT IN ('claimed', 'certified')),
    CHECK ((ended_at IS NOT NULL) = (state IN ('returned', 'failed'))),
    CHECK ((ended_zh IS NULL) = (ended_at IS NULL)),
    CHECK ((ended_en IS NULL) = (ended_at IS NULL)),
    CHECK ((ended_by IS NULL) = (ended_at IS NULL))
);
CREATE UNIQUE INDEX payment_claims_invoices ON payment_claims (supplier_id, invoice_number) WHERE state NOT IN ('returned', 'failed');
CREATE TRIGGER payment_claims_kept
    BEFORE DELETE ON payment_claims
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER payment_claims_fixed
    BEFORE UPDATE OF id, contract_id, number, supplier_id, kind, period, invoice_number, invoice_on, amount_fen, bank_account_id, claimed_by, claimed_at ON payment_claims
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER payment_claims_forward
    BEFORE UPDATE ON payment_claims
    FOR EACH ROW WHEN (OLD.state IN ('confirmed', 'returned', 'failed') OR NEW.revision <> OLD.revision + 1
        OR (OLD.state = 'claimed' AND NEW.state NOT IN ('certified', 'returned'))
        OR (OLD.state = 'certified' AND NEW.state NOT IN ('approved', 'returned'))
        OR (OLD.state = 'approved' AND NEW.state NOT IN ('executed', 'returned'))
        OR (OLD.state = 'executed' AND NEW.state NOT IN ('confirmed', 'failed'))
        OR (OLD.approved_at IS NOT NULL AND (NEW.approved_by IS DISTINCT FROM OLD.approved_by OR NEW.approved_at IS DISTINCT FROM OLD.approved_at))) EXECUTE FUNCTION refuse_change();

-- What was certified of a claim (核定), and the derivation that it rests on, as the bytes whose hash the log has.
CREATE TABLE claim_certifications (
    claim_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES payment_claims (id),
    acceptance_id TEXT COLLATE "C" REFERENCES contract_acceptances (id),
    payable_fen BIGINT NOT NULL CHECK (payable_fen BETWEEN 0 AND 9000000000000000),
    deducted_fen BIGINT NOT NULL CHECK (deducted_fen BETWEEN 0 AND 9000000000000000),
    undisputed BIGINT NOT NULL CHECK (undisputed BETWEEN 0 AND 1000000),
    before_fen BIGINT NOT NULL CHECK (before_fen BETWEEN 0 AND 9000000000000000),
    amount_fen BIGINT NOT NULL CHECK (amount_fen BETWEEN 1 AND 9000000000000000),
    is_settled BOOLEAN NOT NULL,
    less_zh TEXT COLLATE "C" CHECK (length(less_zh) BETWEEN 1 AND 2000),
    less_en TEXT COLLATE "C" CHECK (length(less_en) BETWEEN 1 AND 2000),
    since_at TIMESTAMP NOT NULL,
    due_on DATE NOT NULL,
    content TEXT COLLATE "C" CHECK (length(content) BETWEEN 2 AND 4194304),
    content_sha256 BYTEA CHECK (length(content_sha256) = 32),
    certified_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    certified_at TIMESTAMP NOT NULL,
    CHECK ((less_zh IS NULL) = (less_en IS NULL)),
    CHECK ((content IS NULL) = (content_sha256 IS NULL)),
    CHECK ((acceptance_id IS NULL) = (content IS NULL))
);
CREATE TRIGGER claim_certifications_kept
    BEFORE DELETE ON claim_certifications
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER claim_certifications_fixed
    BEFORE UPDATE ON claim_certifications
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- What the certifying officer has counted of the penalties that the contract names, and why.
CREATE TABLE claim_penalties (
    claim_id TEXT COLLATE "C" NOT NULL REFERENCES claim_certifications (claim_id),
    penalty BIGINT NOT NULL CHECK (penalty BETWEEN 1 AND 50),
    count BIGINT NOT NULL CHECK (count BETWEEN 1 AND 10000),
    reason_zh TEXT COLLATE "C" NOT NULL CHECK (length(reason_zh) BETWEEN 1 AND 500),
    reason_en TEXT COLLATE "C" NOT NULL CHECK (length(reason_en) BETWEEN 1 AND 500),
    PRIMARY KEY (claim_id, penalty)
);
CREATE TRIGGER claim_penalties_kept
    BEFORE DELETE ON claim_penalties
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER claim_penalties_fixed
    BEFORE UPDATE ON claim_penalties
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- That a claim was paid, and what moved with it: kept back, given back to the line, taken from what was kept back.
CREATE TABLE claim_executions (
    claim_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES claim_certifications (claim_id),
    retained_fen BIGINT NOT NULL CHECK (retained_fen BETWEEN 0 AND 9000000000000000),
    released_fen BIGINT NOT NULL CHECK (released_fen BETWEEN 0 AND 9000000000000000),
    from_retained_fen BIGINT NOT NULL CHECK (from_retained_fen BETWEEN 0 AND 9000000000000000),
    executed_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    executed_at TIMESTAMP NOT NULL
);
CREATE TRIGGER claim_executions_kept
    BEFORE DELETE ON claim_executions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER claim_executions_fixed
    BEFORE UPDATE ON claim_executions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- By which of its references the bank has done it.
CREATE TABLE claim_confirmations (
    claim_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES claim_executions (claim_id),
    bank_reference TEXT COLLATE "C" NOT NULL CHECK (length(bank_reference) BETWEEN 1 AND 64),
    confirmed_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    confirmed_at TIMESTAMP NOT NULL
);
CREATE TRIGGER claim_confirmations_kept
    BEFORE DELETE ON claim_confirmations
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER claim_confirmations_fixed
    BEFORE UPDATE ON claim_confirmations
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER payment_claims_not_emptied BEFORE TRUNCATE ON payment_claims EXECUTE FUNCTION refuse_change();
CREATE TRIGGER claim_certifications_not_emptied BEFORE TRUNCATE ON claim_certifications EXECUTE FUNCTION refuse_change();
CREATE TRIGGER claim_penalties_not_emptied BEFORE TRUNCATE ON claim_penalties EXECUTE FUNCTION refuse_change();
CREATE TRIGGER claim_executions_not_emptied BEFORE TRUNCATE ON claim_executions EXECUTE FUNCTION refuse_change();
CREATE TRIGGER claim_confirmations_not_emptied BEFORE TRUNCATE ON claim_confirmations EXECUTE FUNCTION refuse_change();
