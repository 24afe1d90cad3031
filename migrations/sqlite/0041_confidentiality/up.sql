-- What buyers decide about what bidders want to be kept from the public. A later decision on the same mark is another row.
CREATE TABLE bid_confidentiality_decisions (
    bid_id TEXT NOT NULL,
    mark BIGINT NOT NULL CHECK (mark BETWEEN 1 AND 100),
    ordinal BIGINT NOT NULL CHECK (ordinal BETWEEN 1 AND 20),
    lot_id TEXT NOT NULL REFERENCES lots (id),
    is_accepted BOOLEAN NOT NULL,
    reason TEXT NOT NULL,
    decided_by TEXT NOT NULL,
    decided_at TIMESTAMP NOT NULL,
    public_from TIMESTAMP,
    PRIMARY KEY (bid_id, mark, ordinal),
    FOREIGN KEY (lot_id, bid_id) REFERENCES opened_bids (lot_id, bid_id),
    CHECK (is_accepted = (public_from IS NULL))
);
CREATE TRIGGER bid_confidentiality_decisions_kept BEFORE DELETE ON bid_confidentiality_decisions
BEGIN SELECT RAISE(ABORT, 'bid_confidentiality_decisions is append-only'); END;
CREATE TRIGGER bid_confidentiality_decisions_fixed BEFORE UPDATE ON bid_confidentiality_decisions
BEGIN SELECT RAISE(ABORT, 'bid_confidentiality_decisions is append-only'); END;
