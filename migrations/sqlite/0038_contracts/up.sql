-- Contracts, one for an award, as the bytes that both parties sign.
CREATE TABLE contracts (
    id TEXT NOT NULL PRIMARY KEY,
    award_id TEXT NOT NULL UNIQUE REFERENCES awards (id),
    lot_id TEXT NOT NULL REFERENCES openings (lot_id),
    book_id TEXT NOT NULL REFERENCES books (id),
    buyer_id TEXT NOT NULL REFERENCES organisations (id),
    supplier_id TEXT NOT NULL REFERENCES organisations (id),
    price_fen BIGINT NOT NULL CHECK (price_fen > 0),
    security_fen BIGINT NOT NULL CHECK (security_fen >= 0),
    content TEXT NOT NULL CHECK (length(content) BETWEEN 2 AND 4194304),
    content_sha256 BLOB NOT NULL CHECK (length(content_sha256) = 32),
    prepared_at TIMESTAMP NOT NULL,
    signed_at TIMESTAMP
);
CREATE INDEX contracts_signed ON contracts (signed_at, id);
CREATE INDEX contracts_of_lot ON contracts (lot_id, id);
CREATE TRIGGER contracts_kept BEFORE DELETE ON contracts
BEGIN SELECT RAISE(ABORT, 'contracts is append-only'); END;
CREATE TRIGGER contracts_fixed BEFORE UPDATE OF id, award_id, lot_id, book_id, buyer_id, supplier_id, price_fen, security_fen, content, content_sha256, prepared_at ON contracts
BEGIN SELECT RAISE(ABORT, 'contracts is append-only'); END;
CREATE TRIGGER contracts_once BEFORE UPDATE ON contracts
    WHEN OLD.signed_at IS NOT NULL OR NEW.signed_at IS NULL
BEGIN SELECT RAISE(ABORT, 'contracts is append-only'); END;

-- Who has signed for which party.
CREATE TABLE contract_signatures (
    contract_id TEXT NOT NULL REFERENCES contracts (id),
    party TEXT NOT NULL CHECK (party IN ('buyer', 'supplier')),
    account_id TEXT NOT NULL REFERENCES accounts (id),
    content_sha256 BLOB NOT NULL CHECK (length(content_sha256) = 32),
    signed_at TIMESTAMP NOT NULL,
    PRIMARY KEY (contract_id, party)
);
CREATE TRIGGER contract_signatures_kept BEFORE DELETE ON contract_signatures
BEGIN SELECT RAISE(ABORT, 'contract_signatures is append-only'); END;
CREATE TRIGGER contract_signatures_fixed BEFORE UPDATE ON contract_signatures
BEGIN SELECT RAISE(ABORT, 'contract_signatures is append-only'); END;

-- What the supplier lodges so that the buyer is not left alone with the contract, whether it came, and whether it went back.
CREATE TABLE performance_securities (
    id TEXT NOT NULL PRIMARY KEY,
    contract_id TEXT NOT NULL REFERENCES contracts (id),
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
CREATE INDEX performance_securities_of ON performance_securities (contract_id, id);
CREATE TRIGGER performance_securities_kept BEFORE DELETE ON performance_securities
BEGIN SELECT RAISE(ABORT, 'performance_securities is append-only'); END;
CREATE TRIGGER performance_securities_fixed BEFORE UPDATE OF id, contract_id, kind, amount_fen, issuer, reference, lodged_on, expires_on, recorded_at ON performance_securities
BEGIN SELECT RAISE(ABORT, 'performance_securities is append-only'); END;
CREATE TRIGGER performance_securities_forward BEFORE UPDATE ON performance_securities
    WHEN NEW.revision <> OLD.revision + 1 OR OLD.state IN ('not_found', 'returned') OR NEW.state = 'lodged' OR (OLD.state = 'confirmed' AND NEW.state <> 'returned') OR (OLD.state = 'lodged' AND NEW.state = 'returned')
BEGIN SELECT RAISE(ABORT, 'performance_securities is append-only'); END;
