-- Entries that are written and hashed, and kept out of the log until what they tell of may be known: those of sealed bids above all. A
-- row goes only when its entry stands in the log.
CREATE TABLE audit_withheld (
    event_id TEXT NOT NULL PRIMARY KEY,
    matter_id TEXT NOT NULL,
    entry BLOB NOT NULL CHECK (length(entry) BETWEEN 2 AND 65535),
    leaf_hash BLOB NOT NULL CHECK (length(leaf_hash) = 32),
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    at TIMESTAMP NOT NULL,
    actor_salt BLOB NOT NULL,
    actor_id TEXT NOT NULL,
    salt BLOB NOT NULL,
    content TEXT NOT NULL
);
CREATE INDEX audit_withheld_of ON audit_withheld (matter_id, event_id);
CREATE TRIGGER audit_withheld_fixed BEFORE UPDATE ON audit_withheld
BEGIN SELECT RAISE(ABORT, 'audit_withheld is append-only'); END;
CREATE TRIGGER audit_withheld_kept BEFORE DELETE ON audit_withheld
    WHEN NOT EXISTS (SELECT 1 FROM audit_events WHERE id = OLD.event_id)
BEGIN SELECT RAISE(ABORT, 'audit_withheld is append-only'); END;

-- Versions of bids: a row for each sealing, confirmation and withdrawal, and no row for a bid, so that bidders never wait for each other.
CREATE TABLE bid_versions (
    lot_id TEXT NOT NULL REFERENCES lots (id),
    supplier_id TEXT NOT NULL REFERENCES organisations (id),
    number BIGINT NOT NULL CHECK (number BETWEEN 1 AND 50),
    bid_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('sealed', 'confirmed', 'withdrawn')),
    sealed_number BIGINT NOT NULL CHECK (sealed_number BETWEEN 1 AND number),
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    bytes BIGINT NOT NULL CHECK (bytes BETWEEN 1 AND 2200000),
    book_version BIGINT NOT NULL CHECK (book_version BETWEEN 1 AND 100),
    received_at TIMESTAMP NOT NULL,
    receipt TEXT NOT NULL CHECK (length(receipt) BETWEEN 1 AND 1000),
    event_id TEXT NOT NULL,
    PRIMARY KEY (lot_id, supplier_id, number),
    CHECK ((kind = 'sealed') = (sealed_number = number))
);
CREATE UNIQUE INDEX bid_versions_of_bid ON bid_versions (bid_id, number);
CREATE INDEX bid_versions_of_supplier ON bid_versions (supplier_id, bid_id, number);
CREATE TRIGGER bid_versions_kept BEFORE DELETE ON bid_versions
BEGIN SELECT RAISE(ABORT, 'bid_versions is append-only'); END;
CREATE TRIGGER bid_versions_fixed BEFORE UPDATE ON bid_versions
BEGIN SELECT RAISE(ABORT, 'bid_versions is append-only'); END;

-- The sealed bytes of those versions that are sealed. A table of its own: lists of versions never read them.
CREATE TABLE bid_ciphertexts (
    lot_id TEXT NOT NULL,
    supplier_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    ciphertext BLOB NOT NULL CHECK (length(ciphertext) BETWEEN 1 AND 2200000),
    PRIMARY KEY (lot_id, supplier_id, number),
    FOREIGN KEY (lot_id, supplier_id, number) REFERENCES bid_versions (lot_id, supplier_id, number)
);
CREATE TRIGGER bid_ciphertexts_kept BEFORE DELETE ON bid_ciphertexts
BEGIN SELECT RAISE(ABORT, 'bid_ciphertexts is append-only'); END;
CREATE TRIGGER bid_ciphertexts_fixed BEFORE UPDATE ON bid_ciphertexts
BEGIN SELECT RAISE(ABORT, 'bid_ciphertexts is append-only'); END;

-- What came too late, by its hash.
CREATE TABLE late_bids (
    lot_id TEXT NOT NULL REFERENCES lots (id),
    supplier_id TEXT NOT NULL REFERENCES organisations (id),
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    received_at TIMESTAMP NOT NULL,
    PRIMARY KEY (lot_id, supplier_id, sha256)
);
CREATE TRIGGER late_bids_kept BEFORE DELETE ON late_bids
BEGIN SELECT RAISE(ABORT, 'late_bids is append-only'); END;
CREATE TRIGGER late_bids_fixed BEFORE UPDATE ON late_bids
BEGIN SELECT RAISE(ABORT, 'late_bids is append-only'); END;

-- The lots of which it may be known who has bid: from their opening, or their end without one, on.
CREATE TABLE bid_disclosures (
    lot_id TEXT NOT NULL PRIMARY KEY REFERENCES lots (id),
    disclosed_at TIMESTAMP NOT NULL,
    entries BIGINT NOT NULL CHECK (entries >= 0)
);
CREATE TRIGGER bid_disclosures_kept BEFORE DELETE ON bid_disclosures
BEGIN SELECT RAISE(ABORT, 'bid_disclosures is append-only'); END;
CREATE TRIGGER bid_disclosures_fixed BEFORE UPDATE ON bid_disclosures
BEGIN SELECT RAISE(ABORT, 'bid_disclosures is append-only'); END;

-- What was lodged with a bid, whether it came, and whether it went back.
CREATE TABLE bid_securities (
    id TEXT NOT NULL PRIMARY KEY,
    lot_id TEXT NOT NULL REFERENCES lots (id),
    supplier_id TEXT NOT NULL REFERENCES organisations (id),
    state TEXT NOT NULL CHECK (state IN ('lodged', 'confirmed', 'not_found', 'returned')),
    kind TEXT NOT NULL CHECK (kind IN ('transfer', 'cheque', 'draft', 'guarantee', 'insurance')),
    amount_fen BIGINT NOT NULL CHECK (amount_fen > 0),
    issuer TEXT NOT NULL CHECK (length(issuer) BETWEEN 1 AND 200),
    reference TEXT NOT NULL CHECK (length(reference) BETWEEN 1 AND 100),
    lodged_on DATE NOT NULL,
    expires_on DATE,
    revision BIGINT NOT NULL CHECK (revision >= 1),
    recorded_at TIMESTAMP NOT NULL,
    decided_at TIMESTAMP,
    decision TEXT CHECK (length(decision) BETWEEN 1 AND 2000),
    returned_on DATE,
    return_reference TEXT CHECK (length(return_reference) BETWEEN 1 AND 100),
    CHECK (expires_on IS NULL OR expires_on >= lodged_on),
    CHECK ((state = 'lodged') = (decided_at IS NULL)),
    CHECK ((decision IS NULL) = (decided_at IS NULL)),
    CHECK ((state = 'returned') = (returned_on IS NOT NULL)),
    CHECK ((return_reference IS NULL) = (returned_on IS NULL))
);
CREATE INDEX bid_securities_of ON bid_securities (lot_id, supplier_id, id);
CREATE TRIGGER bid_securities_kept BEFORE DELETE ON bid_securities
BEGIN SELECT RAISE(ABORT, 'bid_securities is append-only'); END;
CREATE TRIGGER bid_securities_fixed BEFORE UPDATE OF id, lot_id, supplier_id, kind, amount_fen, issuer, reference, lodged_on, expires_on, recorded_at ON bid_securities
BEGIN SELECT RAISE(ABORT, 'bid_securities is append-only'); END;
CREATE TRIGGER bid_securities_forward BEFORE UPDATE ON bid_securities
    WHEN NEW.revision <> OLD.revision + 1 OR OLD.state IN ('not_found', 'returned') OR NEW.state = 'lodged' OR (OLD.state = 'confirmed' AND NEW.state <> 'returned') OR (OLD.state = 'lodged' AND NEW.state = 'returned')
BEGIN SELECT RAISE(ABORT, 'bid_securities is append-only'); END;
