-- Interest for what was paid late (逾期利息) is claimed like any other part.

-- SQLite changes no check of a table, and a table that others refer to cannot be made anew beside them. A check alone is changed in its text, which no row depends on
-- (sqlite.org/lang_altertable.html, "Making Other Kinds Of Table Schema Changes"). The table after it has every connection read the text again.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, '''retention'', ''settlement'')', '''retention'', ''settlement'', ''interest'')') WHERE type = 'table' AND name = 'payment_claims';
PRAGMA writable_schema = RESET;
CREATE TABLE schema_read_again (id BIGINT NOT NULL PRIMARY KEY);
DROP TABLE schema_read_again;
