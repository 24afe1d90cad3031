DROP TRIGGER imports_started ON imports;
ALTER TABLE imports DROP COLUMN started_at;
