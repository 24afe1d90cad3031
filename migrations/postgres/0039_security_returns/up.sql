-- From when on a bidder's bid security for a lot has to go back: the award notice, the signing of the contract, the end of the lot.
CREATE TABLE bid_security_returns (
    lot_id TEXT COLLATE "C" NOT NULL REFERENCES lots (id),
    supplier_id TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    counts_from TIMESTAMP NOT NULL,
    PRIMARY KEY (lot_id, supplier_id)
);
CREATE TRIGGER bid_security_returns_kept
    BEFORE DELETE ON bid_security_returns
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER bid_security_returns_fixed
    BEFORE UPDATE ON bid_security_returns
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER bid_security_returns_not_emptied BEFORE TRUNCATE ON bid_security_returns EXECUTE FUNCTION refuse_change();
