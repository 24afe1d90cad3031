DROP TRIGGER attachments_same_picture;
ALTER TABLE attachments DROP COLUMN metadata_removed;
