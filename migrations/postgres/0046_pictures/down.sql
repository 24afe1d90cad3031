DROP TRIGGER attachments_same_picture ON attachments;
ALTER TABLE attachments DROP COLUMN metadata_removed;
