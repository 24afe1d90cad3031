-- When a book's bids were opened. A bid that is being sealed reads the book, and an opening writes it: on PostgreSQL that is what lets one of
-- the two see the other.
ALTER TABLE books ADD COLUMN opened_at TIMESTAMP;

-- Records of openings, a lot each, as they were written and hashed; the event of the opening has the hash.
CREATE TABLE openings (
    lot_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES lots (id),
    book_id TEXT COLLATE "C" NOT NULL REFERENCES books (id),
    outcome TEXT COLLATE "C" NOT NULL CHECK (outcome IN ('opened', 'unsuccessful')),
    opened_at TIMESTAMP NOT NULL,
    content TEXT COLLATE "C" NOT NULL CHECK (length(content) BETWEEN 2 AND 4194304),
    content_sha256 BYTEA NOT NULL CHECK (length(content_sha256) = 32)
);
CREATE INDEX openings_of ON openings (book_id, lot_id);

-- The bids that were opened, each with the key of its one file.
CREATE TABLE opened_bids (
    lot_id TEXT COLLATE "C" NOT NULL REFERENCES openings (lot_id),
    bid_id TEXT COLLATE "C" NOT NULL,
    supplier_id TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    version BIGINT NOT NULL CHECK (version BETWEEN 1 AND 50),
    total_fen BIGINT NOT NULL CHECK (total_fen >= 0),
    file_key BYTEA NOT NULL CHECK (length(file_key) = 16),
    is_public BOOLEAN NOT NULL,
    is_out BOOLEAN NOT NULL,
    PRIMARY KEY (lot_id, bid_id),
    UNIQUE (lot_id, supplier_id)
);
CREATE TRIGGER books_opened
    BEFORE UPDATE OF opened_at ON books
    FOR EACH ROW WHEN (OLD.opened_at IS NOT NULL OR NEW.state <> 'published') EXECUTE FUNCTION refuse_change();
CREATE TRIGGER openings_kept
    BEFORE DELETE ON openings
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER openings_fixed
    BEFORE UPDATE ON openings
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER opened_bids_kept
    BEFORE DELETE ON opened_bids
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER opened_bids_fixed
    BEFORE UPDATE ON opened_bids
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER openings_not_emptied BEFORE TRUNCATE ON openings EXECUTE FUNCTION refuse_change();
CREATE TRIGGER opened_bids_not_emptied BEFORE TRUNCATE ON opened_bids EXECUTE FUNCTION refuse_change();
