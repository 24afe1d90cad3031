-- Payments that go to the bank together (支付批次), with the file for it as the bytes whose hash the log has. It waits for another finance officer, who executes it, or is withdrawn.
CREATE TABLE payment_batches (
    id TEXT NOT NULL PRIMARY KEY,
    buyer_id TEXT NOT NULL REFERENCES organisations (id),
    bank_account_id TEXT NOT NULL REFERENCES bank_account_changes (id),
    execution_on DATE NOT NULL,
    names TEXT NOT NULL CHECK (names IN ('chinese', 'latin')),
    count BIGINT NOT NULL CHECK (count BETWEEN 1 AND 200),
    total_fen BIGINT NOT NULL CHECK (total_fen BETWEEN 1 AND 9000000000000000),
    content TEXT NOT NULL CHECK (length(content) BETWEEN 2 AND 4194304),
    content_sha256 BLOB NOT NULL CHECK (length(content_sha256) = 32),
    made_by TEXT NOT NULL REFERENCES accounts (id),
    made_at TIMESTAMP NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('made', 'executed', 'withdrawn')),
    decided_by TEXT REFERENCES accounts (id),
    decided_at TIMESTAMP,
    revision BIGINT NOT NULL CHECK (revision >= 1),
    CHECK ((decided_by IS NULL) = (decided_at IS NULL)),
    CHECK ((decided_at IS NULL) = (state = 'made'))
);
CREATE INDEX payment_batches_buyers ON payment_batches (buyer_id, id);
CREATE TRIGGER payment_batches_kept BEFORE DELETE ON payment_batches
BEGIN SELECT RAISE(ABORT, 'payment_batches is append-only'); END;
CREATE TRIGGER payment_batches_fixed BEFORE UPDATE OF id, buyer_id, bank_account_id, execution_on, names, count, total_fen, content, content_sha256, made_by, made_at ON payment_batches
BEGIN SELECT RAISE(ABORT, 'payment_batches is append-only'); END;
CREATE TRIGGER payment_batches_forward BEFORE UPDATE ON payment_batches
    WHEN OLD.state <> 'made' OR NEW.state = 'made' OR NEW.revision <> OLD.revision + 1
BEGIN SELECT RAISE(ABORT, 'payment_batches is append-only'); END;

-- The claims of a batch, in the order of its file.
CREATE TABLE payment_batch_claims (
    batch_id TEXT NOT NULL REFERENCES payment_batches (id),
    position BIGINT NOT NULL CHECK (position BETWEEN 1 AND 200),
    claim_id TEXT NOT NULL REFERENCES payment_claims (id),
    amount_fen BIGINT NOT NULL CHECK (amount_fen BETWEEN 1 AND 9000000000000000),
    PRIMARY KEY (batch_id, position),
    UNIQUE (batch_id, claim_id)
);
CREATE INDEX payment_batch_claims_claims ON payment_batch_claims (claim_id);
CREATE TRIGGER payment_batch_claims_kept BEFORE DELETE ON payment_batch_claims
BEGIN SELECT RAISE(ABORT, 'payment_batch_claims is append-only'); END;
CREATE TRIGGER payment_batch_claims_fixed BEFORE UPDATE ON payment_batch_claims
BEGIN SELECT RAISE(ABORT, 'payment_batch_claims is append-only'); END;
