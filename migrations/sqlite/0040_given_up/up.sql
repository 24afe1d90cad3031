-- Drafts that were given up stay where they are and are nobody's any more: a book's with its state, a version's of a standard unseen.
ALTER TABLE books ADD COLUMN discarded_at TIMESTAMP;
CREATE TRIGGER books_discarded BEFORE UPDATE ON books
    WHEN OLD.discarded_at IS NOT NULL OR (NEW.discarded_at IS NOT NULL AND NEW.published_at IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'books is append-only'); END;
ALTER TABLE standard_versions ADD COLUMN discarded_at TIMESTAMP;
CREATE TRIGGER standard_versions_discarded BEFORE UPDATE ON standard_versions
    WHEN OLD.discarded_at IS NOT NULL OR (NEW.discarded_at IS NOT NULL AND NEW.state <> 'draft')
BEGIN SELECT RAISE(ABORT, 'standard_versions is append-only'); END;
DROP INDEX standard_versions_drafts;
CREATE UNIQUE INDEX standard_versions_drafts ON standard_versions (standard_id) WHERE state = 'draft' AND discarded_at IS NULL;

-- Which intention notice a published book keeps to: a notice is for one purchase.
ALTER TABLE books ADD COLUMN intention_id TEXT;
UPDATE books SET intention_id = json_extract(content, '$.intention_id') WHERE state = 'published';
CREATE INDEX books_of_intention ON books (intention_id, id);
