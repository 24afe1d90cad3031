-- Lots that came to nothing after their bids were opened (废标), each once and for good, and why.
CREATE TABLE lot_endings (
    lot_id TEXT NOT NULL PRIMARY KEY REFERENCES openings (lot_id),
    book_id TEXT NOT NULL REFERENCES books (id),
    cause TEXT NOT NULL CHECK (cause IN ('too_few_responsive', 'nobody_left', 'complaint_upheld')),
    reason_zh TEXT NOT NULL CHECK (length(reason_zh) BETWEEN 1 AND 2000),
    reason_en TEXT NOT NULL CHECK (length(reason_en) BETWEEN 1 AND 2000),
    ended_at TIMESTAMP NOT NULL
);
CREATE INDEX lot_endings_of ON lot_endings (book_id, lot_id);
CREATE TRIGGER lot_endings_kept BEFORE DELETE ON lot_endings
BEGIN SELECT RAISE(ABORT, 'lot_endings is append-only'); END;
CREATE TRIGGER lot_endings_fixed BEFORE UPDATE ON lot_endings
BEGIN SELECT RAISE(ABORT, 'lot_endings is append-only'); END;
