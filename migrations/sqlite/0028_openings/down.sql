DROP TABLE opened_bids;
DROP TABLE openings;
DROP TRIGGER books_opened;
ALTER TABLE books DROP COLUMN opened_at;
