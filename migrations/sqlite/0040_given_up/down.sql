DROP INDEX books_of_intention;
ALTER TABLE books DROP COLUMN intention_id;
DROP TRIGGER books_discarded;
ALTER TABLE books DROP COLUMN discarded_at;
DROP INDEX standard_versions_drafts;
DROP TRIGGER standard_versions_discarded;
DROP TRIGGER standard_versions_kept;
DELETE FROM standard_versions WHERE discarded_at IS NOT NULL;
CREATE TRIGGER standard_versions_kept BEFORE DELETE ON standard_versions
BEGIN SELECT RAISE(ABORT, 'standard_versions is append-only'); END;
ALTER TABLE standard_versions DROP COLUMN discarded_at;
CREATE UNIQUE INDEX standard_versions_drafts ON standard_versions (standard_id) WHERE state = 'draft';
