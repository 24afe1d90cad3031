-- The rest of the log's tables are guarded like its events: a log keeps its name and key, and what is private is only ever
-- erased, for good, with the instant at which that was first done. A text and the salt that proves it go together.

CREATE TRIGGER audit_log_fixed BEFORE UPDATE ON audit_log
BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;
CREATE TRIGGER audit_log_kept BEFORE DELETE ON audit_log
BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;

CREATE TRIGGER audit_private_only_erased BEFORE UPDATE ON audit_private
WHEN NOT (NEW.event_id IS OLD.event_id
    AND NEW.erased_at IS NOT NULL AND (OLD.erased_at IS NULL OR NEW.erased_at IS OLD.erased_at)
    AND (NEW.actor_id IS NULL OR NEW.content IS NULL)
    AND ((NEW.actor_salt IS NULL AND NEW.actor_id IS NULL)
        OR (NEW.actor_salt IS OLD.actor_salt AND NEW.actor_id IS OLD.actor_id))
    AND ((NEW.salt IS NULL AND NEW.content IS NULL) OR (NEW.salt IS OLD.salt AND NEW.content IS OLD.content)))
BEGIN SELECT RAISE(ABORT, 'audit_private is append-only'); END;
