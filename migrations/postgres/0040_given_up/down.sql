DROP INDEX books_of_intention;
ALTER TABLE books DROP COLUMN intention_id;
DROP TRIGGER books_discarded ON books;
ALTER TABLE books DROP COLUMN discarded_at;
DROP INDEX standard_versions_drafts;
DROP TRIGGER standard_versions_discarded ON standard_versions;
DROP TRIGGER standard_versions_kept ON standard_versions;
DELETE FROM standard_versions WHERE discarded_at IS NOT NULL;
CREATE TRIGGER standard_versions_kept
    BEFORE DELETE ON standard_versions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
ALTER TABLE standard_versions DROP COLUMN discarded_at;
CREATE UNIQUE INDEX standard_versions_drafts ON standard_versions (standard_id) WHERE state = 'draft';
