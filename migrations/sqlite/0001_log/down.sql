DROP TABLE audit_checkpoints;
DROP TABLE audit_nodes;
DROP TABLE audit_private;
DROP TABLE audit_events;
DROP TABLE audit_log;
