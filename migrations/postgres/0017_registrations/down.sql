DROP TABLE residence_registrations;
DELETE FROM one_time_links WHERE purpose = 'registration';
ALTER TABLE one_time_links DROP CONSTRAINT one_time_links_purpose_check;
ALTER TABLE one_time_links DROP CONSTRAINT one_time_links_check;
ALTER TABLE one_time_links ADD CONSTRAINT one_time_links_purpose_check
    CHECK (purpose IN ('invitation', 'bootstrap', 'password_reset'));
ALTER TABLE one_time_links ADD CONSTRAINT one_time_links_check
    CHECK ((account_id IS NULL) = (purpose = 'bootstrap'));
