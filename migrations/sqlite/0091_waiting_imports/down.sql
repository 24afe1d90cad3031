DROP TRIGGER imports_started;
ALTER TABLE imports DROP COLUMN started_at;
