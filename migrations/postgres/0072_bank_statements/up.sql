-- What banks said of payments (回执, 对账单): the file as it came, and what became of each of its entries.
CREATE TABLE bank_statements (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    buyer_id TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    format TEXT COLLATE "C" NOT NULL CHECK (format IN ('pain_002', 'camt_053', 'table')),
    content BYTEA NOT NULL CHECK (length(content) BETWEEN 1 AND 4194304),
    content_sha256 BYTEA NOT NULL CHECK (length(content_sha256) = 32),
    entries BIGINT NOT NULL CHECK (entries BETWEEN 0 AND 10000),
    confirmed BIGINT NOT NULL CHECK (confirmed BETWEEN 0 AND 10000),
    failed BIGINT NOT NULL CHECK (failed BETWEEN 0 AND 10000),
    report TEXT COLLATE "C" NOT NULL CHECK (length(report) BETWEEN 2 AND 67108864),
    read_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    read_at TIMESTAMP NOT NULL
);
CREATE INDEX bank_statements_buyers ON bank_statements (buyer_id, id);
CREATE INDEX bank_statements_contents ON bank_statements (buyer_id, content_sha256);
CREATE TRIGGER bank_statements_kept
    BEFORE DELETE ON bank_statements
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER bank_statements_fixed
    BEFORE UPDATE ON bank_statements
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- What a bank has confirmed may come back days later (退票).
DROP TRIGGER payment_claims_forward ON payment_claims;
CREATE TRIGGER payment_claims_forward
    BEFORE UPDATE ON payment_claims
    FOR EACH ROW WHEN (OLD.state IN ('returned', 'failed') OR NEW.revision <> OLD.revision + 1
        OR (OLD.state = 'claimed' AND NEW.state NOT IN ('certified', 'returned'))
        OR (OLD.state = 'certified' AND NEW.state NOT IN ('approved', 'returned'))
        OR (OLD.state = 'approved' AND NEW.state NOT IN ('executed', 'returned'))
        OR (OLD.state = 'executed' AND NEW.state NOT IN ('confirmed', 'failed'))
        OR (OLD.state = 'confirmed' AND NEW.state <> 'failed')
        OR (OLD.approved_at IS NOT NULL AND (NEW.approved_by IS DISTINCT FROM OLD.approved_by OR NEW.approved_at IS DISTINCT FROM OLD.approved_at))) EXECUTE FUNCTION refuse_change();
