DROP TABLE debarments;
DROP TABLE qualifications;
DROP TABLE bank_account_changes;
DROP TABLE organisation_versions;
DROP INDEX organisations_places;
DROP INDEX organisations_registrants;
ALTER TABLE organisations DROP COLUMN public_at;
ALTER TABLE organisations DROP COLUMN registered_by;
