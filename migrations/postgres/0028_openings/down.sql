DROP TABLE opened_bids;
DROP TABLE openings;
DROP TRIGGER books_opened ON books;
ALTER TABLE books DROP COLUMN opened_at;
