-- What came of judging a lot's bids: a derivation for each round, as its bytes, which the event has the hash of. The last round holds.
CREATE TABLE evaluations (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    lot_id TEXT COLLATE "C" NOT NULL REFERENCES openings (lot_id),
    book_id TEXT COLLATE "C" NOT NULL REFERENCES books (id),
    round BIGINT NOT NULL CHECK (round BETWEEN 1 AND 20),
    outcome TEXT COLLATE "C" NOT NULL CHECK (outcome IN ('ranked', 'unsuccessful')),
    concluded_at TIMESTAMP NOT NULL,
    content TEXT COLLATE "C" NOT NULL CHECK (length(content) BETWEEN 2 AND 8388608),
    content_sha256 BYTEA NOT NULL CHECK (length(content_sha256) = 32),
    UNIQUE (lot_id, round)
);
CREATE INDEX evaluations_of ON evaluations (book_id, lot_id, round);

-- Where each bid of a round stands. A bid that was put out has no place.
CREATE TABLE evaluation_places (
    evaluation_id TEXT COLLATE "C" NOT NULL REFERENCES evaluations (id),
    bid_id TEXT COLLATE "C" NOT NULL,
    supplier_id TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    place BIGINT CHECK (place BETWEEN 1 AND 10000),
    price_fen BIGINT NOT NULL CHECK (price_fen >= 0),
    PRIMARY KEY (evaluation_id, bid_id),
    UNIQUE (evaluation_id, supplier_id),
    UNIQUE (evaluation_id, place)
);
CREATE TRIGGER evaluations_kept
    BEFORE DELETE ON evaluations
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER evaluations_fixed
    BEFORE UPDATE ON evaluations
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER evaluation_places_kept
    BEFORE DELETE ON evaluation_places
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER evaluation_places_fixed
    BEFORE UPDATE ON evaluation_places
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER evaluations_not_emptied BEFORE TRUNCATE ON evaluations EXECUTE FUNCTION refuse_change();
CREATE TRIGGER evaluation_places_not_emptied BEFORE TRUNCATE ON evaluation_places EXECUTE FUNCTION refuse_change();
