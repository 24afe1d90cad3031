-- How far what is found has come, and until when bids are taken for it; none for what has no stages.
ALTER TABLE search_documents ADD COLUMN stage TEXT COLLATE "C" CHECK (length(stage) BETWEEN 1 AND 20);
ALTER TABLE search_documents ADD COLUMN closes_at TIMESTAMP;
UPDATE search_documents SET stage = 'planned' WHERE kind = 'intention_notice';

-- Books and categories that people want to hear of: one of the two each.
CREATE TABLE follows (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    account_id TEXT COLLATE "C" NOT NULL,
    book_id TEXT COLLATE "C" REFERENCES books (id),
    category TEXT COLLATE "C" REFERENCES service_categories (code),
    begun_at TIMESTAMP NOT NULL,
    CHECK ((book_id IS NULL) <> (category IS NULL))
);
CREATE UNIQUE INDEX follows_books ON follows (book_id, account_id) WHERE book_id IS NOT NULL;
CREATE UNIQUE INDEX follows_categories ON follows (category, account_id) WHERE category IS NOT NULL;
CREATE INDEX follows_accounts ON follows (account_id, id);

-- What of books is still to be told, written in the transaction in which it happened. Each is told account by account, in the order
-- of their ids, and forgotten when the last one has been told; `reached` is the account that was told last.
CREATE TABLE book_notices (
    book_id TEXT COLLATE "C" NOT NULL REFERENCES books (id),
    what TEXT COLLATE "C" NOT NULL CHECK (what IN ('published', 'amended', 'cancelled')),
    version BIGINT NOT NULL CHECK (version BETWEEN 1 AND 100),
    happened_at TIMESTAMP NOT NULL,
    reached TEXT COLLATE "C" NOT NULL CHECK (length(reached) <= 100),
    PRIMARY KEY (book_id, what, version)
);
CREATE INDEX book_notices_order ON book_notices (happened_at, book_id);
