-- A resident who has no account opens one with their letter: links of one more purpose, and what such a link is good for.

ALTER TABLE one_time_links DROP CONSTRAINT one_time_links_purpose_check;
ALTER TABLE one_time_links DROP CONSTRAINT one_time_links_check;
ALTER TABLE one_time_links ADD CONSTRAINT one_time_links_purpose_check
    CHECK (purpose IN ('invitation', 'bootstrap', 'password_reset', 'registration'));
ALTER TABLE one_time_links ADD CONSTRAINT one_time_links_check
    CHECK ((account_id IS NULL) = (purpose IN ('bootstrap', 'registration')));

-- At most one for each letter. It goes with its letter, whatever becomes of that: used, printed anew, its resident moved away or erased.
-- `tries` counts dates of birth, right and wrong, that were given with the link.
CREATE TABLE residence_registrations (
    resident_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES invitation_letters (resident_id) ON DELETE CASCADE,
    link_hash BYTEA NOT NULL UNIQUE REFERENCES one_time_links (hash) ON DELETE CASCADE CHECK (length(link_hash) = 32),
    email TEXT COLLATE "C" NOT NULL CHECK (length(email) BETWEEN 3 AND 254),
    tries BIGINT NOT NULL CHECK (tries >= 0),
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL
);
CREATE INDEX residence_registrations_expiry ON residence_registrations (expires_at);
