-- From when on a bidder's bid security for a lot has to go back: the award notice, the signing of the contract, the end of the lot.
CREATE TABLE bid_security_returns (
    lot_id TEXT NOT NULL REFERENCES lots (id),
    supplier_id TEXT NOT NULL REFERENCES organisations (id),
    counts_from TIMESTAMP NOT NULL,
    PRIMARY KEY (lot_id, supplier_id)
);
CREATE TRIGGER bid_security_returns_kept BEFORE DELETE ON bid_security_returns
BEGIN SELECT RAISE(ABORT, 'bid_security_returns is append-only'); END;
CREATE TRIGGER bid_security_returns_fixed BEFORE UPDATE ON bid_security_returns
BEGIN SELECT RAISE(ABORT, 'bid_security_returns is append-only'); END;
