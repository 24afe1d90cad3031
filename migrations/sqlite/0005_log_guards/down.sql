DROP TRIGGER audit_private_only_erased;
DROP TRIGGER audit_log_kept;
DROP TRIGGER audit_log_fixed;
