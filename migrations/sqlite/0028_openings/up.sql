-- When a book's bids were opened. A bid that is being sealed reads the book, and an opening writes it: on PostgreSQL that is what lets one of
-- the two see the other.
ALTER TABLE books ADD COLUMN opened_at TIMESTAMP;

-- Records of openings, a lot each, as they were written and hashed; the event of the opening has the hash.
CREATE TABLE openings (
    lot_id TEXT NOT NULL PRIMARY KEY REFERENCES lots (id),
    book_id TEXT NOT NULL REFERENCES books (id),
    outcome TEXT NOT NULL CHECK (outcome IN ('opened', 'unsuccessful')),
    opened_at TIMESTAMP NOT NULL,
    content TEXT NOT NULL CHECK (length(content) BETWEEN 2 AND 4194304),
    content_sha256 BLOB NOT NULL CHECK (length(content_sha256) = 32)
);
CREATE INDEX openings_of ON openings (book_id, lot_id);

-- The bids that were opened, each with the key of its one file.
CREATE TABLE opened_bids (
    lot_id TEXT NOT NULL REFERENCES openings (lot_id),
    bid_id TEXT NOT NULL,
    supplier_id TEXT NOT NULL REFERENCES organisations (id),
    version BIGINT NOT NULL CHECK (version BETWEEN 1 AND 50),
    total_fen BIGINT NOT NULL CHECK (total_fen >= 0),
    file_key BLOB NOT NULL CHECK (length(file_key) = 16),
    is_public BOOLEAN NOT NULL,
    is_out BOOLEAN NOT NULL,
    PRIMARY KEY (lot_id, bid_id),
    UNIQUE (lot_id, supplier_id)
);
CREATE TRIGGER books_opened BEFORE UPDATE OF opened_at ON books
    WHEN OLD.opened_at IS NOT NULL OR NEW.state <> 'published'
BEGIN SELECT RAISE(ABORT, 'books is append-only'); END;
CREATE TRIGGER openings_kept BEFORE DELETE ON openings
BEGIN SELECT RAISE(ABORT, 'openings is append-only'); END;
CREATE TRIGGER openings_fixed BEFORE UPDATE ON openings
BEGIN SELECT RAISE(ABORT, 'openings is append-only'); END;
CREATE TRIGGER opened_bids_kept BEFORE DELETE ON opened_bids
BEGIN SELECT RAISE(ABORT, 'opened_bids is append-only'); END;
CREATE TRIGGER opened_bids_fixed BEFORE UPDATE ON opened_bids
BEGIN SELECT RAISE(ABORT, 'opened_bids is append-only'); END;
