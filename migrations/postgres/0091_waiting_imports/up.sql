-- When an import's turn came; none while it waits for it. Those that there are have not waited, as far as anybody knows.
ALTER TABLE imports ADD COLUMN started_at TIMESTAMP;
UPDATE imports SET started_at = begun_at;
CREATE TRIGGER imports_started
    BEFORE UPDATE OF started_at ON imports
    FOR EACH ROW WHEN (OLD.started_at IS NOT NULL AND NEW.started_at IS DISTINCT FROM OLD.started_at)
    EXECUTE FUNCTION refuse_change();
