-- What was published of one book or notice, in its order: what a community is shown is found by the books and notices that concern it.
CREATE INDEX ocds_releases_subjects ON ocds_releases (subject_id, sequence);
