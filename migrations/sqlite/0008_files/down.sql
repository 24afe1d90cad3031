DROP TABLE attachment_usage;
DROP TABLE attachments;
DROP TABLE file_objects;
