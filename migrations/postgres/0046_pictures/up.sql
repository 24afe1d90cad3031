-- Whether a picture's metadata were removed when it was uploaded, so that its bytes are not those that were sent.
ALTER TABLE attachments ADD COLUMN metadata_removed BOOLEAN NOT NULL DEFAULT FALSE;
CREATE TRIGGER attachments_same_picture
    BEFORE UPDATE OF metadata_removed ON attachments
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
