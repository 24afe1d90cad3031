DROP TABLE book_notices;
DROP TABLE follows;
ALTER TABLE search_documents DROP COLUMN closes_at;
ALTER TABLE search_documents DROP COLUMN stage;
