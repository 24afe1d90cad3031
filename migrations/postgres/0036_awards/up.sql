-- Awards: a lot has one at a time that has not ended. The notice is kept as its bytes, which the event has the hash of.
CREATE TABLE awards (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    lot_id TEXT COLLATE "C" NOT NULL REFERENCES openings (lot_id),
    book_id TEXT COLLATE "C" NOT NULL REFERENCES books (id),
    evaluation_id TEXT COLLATE "C" NOT NULL REFERENCES evaluations (id),
    number BIGINT NOT NULL CHECK (number BETWEEN 1 AND 100),
    place BIGINT NOT NULL CHECK (place BETWEEN 1 AND 10000),
    bid_id TEXT COLLATE "C" NOT NULL,
    supplier_id TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    price_fen BIGINT NOT NULL CHECK (price_fen >= 0),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('proposed', 'decided', 'noticed', 'confirmed', 'signed', 'ended')),
    report TEXT COLLATE "C" NOT NULL CHECK (length(report) BETWEEN 1 AND 2000),
    proposed_at TIMESTAMP NOT NULL,
    decision TEXT COLLATE "C" CHECK (length(decision) BETWEEN 1 AND 2000),
    decided_at TIMESTAMP,
    notice TEXT COLLATE "C" CHECK (length(notice) BETWEEN 2 AND 4194304),
    notice_sha256 BYTEA CHECK (length(notice_sha256) = 32),
    noticed_at TIMESTAMP,
    confirmed_at TIMESTAMP,
    signed_at TIMESTAMP,
    end_cause TEXT COLLATE "C" CHECK (end_cause IN ('withdrawn', 'disqualified', 'not_signed', 'complaint_upheld', 'cancelled', 'reevaluation', 'dropped')),
    end_zh TEXT COLLATE "C" CHECK (length(end_zh) BETWEEN 1 AND 2000),
    end_en TEXT COLLATE "C" CHECK (length(end_en) BETWEEN 1 AND 2000),
    ended_at TIMESTAMP,
    revision BIGINT NOT NULL CHECK (revision >= 1),
    UNIQUE (lot_id, number),
    CHECK ((decision IS NULL) = (decided_at IS NULL)),
    CHECK ((notice IS NULL) = (noticed_at IS NULL)),
    CHECK ((notice_sha256 IS NULL) = (noticed_at IS NULL)),
    CHECK ((end_cause IS NULL) = (ended_at IS NULL)),
    CHECK ((end_zh IS NULL) = (ended_at IS NULL)),
    CHECK ((end_en IS NULL) = (ended_at IS NULL)),
    CHECK ((state = 'ended') = (ended_at IS NOT NULL)),
    CHECK ((state = 'signed') = (signed_at IS NOT NULL)),
    CHECK (state <> 'proposed' OR decided_at IS NULL),
    CHECK (state NOT IN ('decided', 'noticed', 'confirmed', 'signed') OR decided_at IS NOT NULL),
    CHECK (state NOT IN ('noticed', 'confirmed', 'signed') OR noticed_at IS NOT NULL),
    CHECK (state NOT IN ('confirmed', 'signed') OR confirmed_at IS NOT NULL)
);
CREATE UNIQUE INDEX awards_standing ON awards (lot_id) WHERE state <> 'ended';
CREATE INDEX awards_of_book ON awards (book_id, id);
CREATE INDEX awards_of_supplier ON awards (supplier_id, id);
CREATE TRIGGER awards_kept
    BEFORE DELETE ON awards
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER awards_fixed
    BEFORE UPDATE OF id, lot_id, book_id, evaluation_id, number, place, bid_id, supplier_id, price_fen, report, proposed_at ON awards
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER awards_noticed
    BEFORE UPDATE OF notice, notice_sha256, noticed_at ON awards
    FOR EACH ROW WHEN (OLD.noticed_at IS NOT NULL) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER awards_forward
    BEFORE UPDATE ON awards
    FOR EACH ROW WHEN (NEW.revision <> OLD.revision + 1 OR OLD.state IN ('signed', 'ended') OR (OLD.state = 'proposed' AND NEW.state NOT IN ('decided', 'ended')) OR (OLD.state = 'decided' AND NEW.state NOT IN ('noticed', 'ended')) OR (OLD.state = 'noticed' AND NEW.state NOT IN ('confirmed', 'ended')) OR (OLD.state = 'confirmed' AND NEW.state NOT IN ('signed', 'ended'))) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER awards_not_emptied BEFORE TRUNCATE ON awards EXECUTE FUNCTION refuse_change();
