-- Addenda to published books. One at a time is written for a book; published, it is a version of the book, and neither it nor one that was
-- given up changes any more.
CREATE TABLE addenda (
    id TEXT NOT NULL PRIMARY KEY,
    book_id TEXT NOT NULL REFERENCES books (id),
    state TEXT NOT NULL CHECK (state IN ('draft', 'published', 'discarded')),
    base BIGINT NOT NULL CHECK (base BETWEEN 1 AND 99),
    number BIGINT CHECK (number = base),
    reason_zh TEXT NOT NULL CHECK (length(reason_zh) BETWEEN 1 AND 2000),
    reason_en TEXT NOT NULL CHECK (length(reason_en) BETWEEN 1 AND 2000),
    affects_bids BOOLEAN NOT NULL,
    content TEXT NOT NULL CHECK (length(content) BETWEEN 2 AND 1048576),
    content_sha256 BLOB NOT NULL CHECK (length(content_sha256) = 32),
    revision BIGINT NOT NULL CHECK (revision >= 1),
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CHECK ((state = 'published') = (number IS NOT NULL))
);
CREATE UNIQUE INDEX addenda_open ON addenda (book_id) WHERE state = 'draft';
CREATE UNIQUE INDEX addenda_numbers ON addenda (book_id, number);
CREATE INDEX addenda_of ON addenda (book_id, id);
CREATE TRIGGER addenda_kept BEFORE DELETE ON addenda
BEGIN SELECT RAISE(ABORT, 'addenda is append-only'); END;
CREATE TRIGGER addenda_fixed BEFORE UPDATE OF id, book_id, base, created_at ON addenda
BEGIN SELECT RAISE(ABORT, 'addenda is append-only'); END;
CREATE TRIGGER addenda_ended BEFORE UPDATE ON addenda
    WHEN OLD.state <> 'draft'
BEGIN SELECT RAISE(ABORT, 'addenda is append-only'); END;
