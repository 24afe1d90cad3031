PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, '''retention'', ''settlement'', ''interest'')', '''retention'', ''settlement'')') WHERE type = 'table' AND name = 'payment_claims';
PRAGMA writable_schema = RESET;
CREATE TABLE schema_read_again (id BIGINT NOT NULL PRIMARY KEY);
DROP TABLE schema_read_again;
