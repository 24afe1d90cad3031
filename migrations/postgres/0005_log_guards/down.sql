DROP TRIGGER audit_private_only_erased ON audit_private;
DROP TRIGGER audit_log_not_emptied ON audit_log;
DROP TRIGGER audit_log_fixed ON audit_log;
