-- The rest of the log's tables are guarded like its events: a log keeps its name and key, and what is private is only ever
-- erased, for good, with the instant at which that was first done. A text and the salt that proves it go together.

CREATE TRIGGER audit_log_fixed BEFORE UPDATE OR DELETE ON audit_log FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_log_not_emptied BEFORE TRUNCATE ON audit_log EXECUTE FUNCTION refuse_change();

CREATE TRIGGER audit_private_only_erased BEFORE UPDATE ON audit_private FOR EACH ROW
WHEN (NOT (NEW.event_id IS NOT DISTINCT FROM OLD.event_id
    AND NEW.erased_at IS NOT NULL AND (OLD.erased_at IS NULL OR NEW.erased_at IS NOT DISTINCT FROM OLD.erased_at)
    AND (NEW.actor_id IS NULL OR NEW.content IS NULL)
    AND ((NEW.actor_salt IS NULL AND NEW.actor_id IS NULL)
        OR (NEW.actor_salt IS NOT DISTINCT FROM OLD.actor_salt AND NEW.actor_id IS NOT DISTINCT FROM OLD.actor_id))
    AND ((NEW.salt IS NULL AND NEW.content IS NULL)
        OR (NEW.salt IS NOT DISTINCT FROM OLD.salt AND NEW.content IS NOT DISTINCT FROM OLD.content))))
EXECUTE FUNCTION refuse_change();
