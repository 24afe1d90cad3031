-- What is published of processes as open contracting data: releases, each as the bytes that it will always be, in the order in which they were published.
CREATE TABLE ocds_releases (
    sequence BIGINT NOT NULL PRIMARY KEY CHECK (sequence >= 1),
    ocid TEXT NOT NULL CHECK (length(ocid) BETWEEN 12 AND 60),
    number BIGINT NOT NULL CHECK (number >= 1),
    release_id TEXT NOT NULL UNIQUE CHECK (length(release_id) BETWEEN 14 AND 80),
    subject_id TEXT NOT NULL CHECK (length(subject_id) BETWEEN 1 AND 60),
    -- The place in the log up to which the process is shown.
    places BIGINT NOT NULL CHECK (places >= 0),
    released_at TIMESTAMP NOT NULL,
    -- Its tags, with a blank between two.
    tags TEXT NOT NULL CHECK (length(tags) BETWEEN 5 AND 300),
    content TEXT NOT NULL CHECK (length(content) >= 2),
    UNIQUE (ocid, number)
);
CREATE INDEX ocds_releases_dates ON ocds_releases (released_at);
CREATE TRIGGER ocds_releases_kept BEFORE DELETE ON ocds_releases
BEGIN SELECT RAISE(ABORT, 'ocds_releases is append-only'); END;
CREATE TRIGGER ocds_releases_fixed BEFORE UPDATE ON ocds_releases
BEGIN SELECT RAISE(ABORT, 'ocds_releases is append-only'); END;

-- The last release of each process.
CREATE TABLE ocds_processes (
    ocid TEXT NOT NULL PRIMARY KEY CHECK (length(ocid) BETWEEN 12 AND 60),
    releases BIGINT NOT NULL CHECK (releases >= 1),
    last_sequence BIGINT NOT NULL UNIQUE REFERENCES ocds_releases (sequence)
);
CREATE TRIGGER ocds_processes_kept BEFORE DELETE ON ocds_processes
BEGIN SELECT RAISE(ABORT, 'ocds_processes is kept'); END;
CREATE TRIGGER ocds_processes_forward BEFORE UPDATE ON ocds_processes
WHEN NEW.ocid <> OLD.ocid OR NEW.releases <> OLD.releases + 1 OR NEW.last_sequence <= OLD.last_sequence
BEGIN SELECT RAISE(ABORT, 'ocds_processes goes forward only'); END;

-- Up to where the log was read for publication: one row, or none before the first time.
CREATE TABLE ocds_progress (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    next_place BIGINT NOT NULL CHECK (next_place >= 0),
    last_sequence BIGINT NOT NULL CHECK (last_sequence >= 0)
);
CREATE TRIGGER ocds_progress_kept BEFORE DELETE ON ocds_progress
BEGIN SELECT RAISE(ABORT, 'ocds_progress is kept'); END;
CREATE TRIGGER ocds_progress_forward BEFORE UPDATE ON ocds_progress
WHEN NEW.id <> OLD.id OR NEW.next_place < OLD.next_place OR NEW.last_sequence < OLD.last_sequence
BEGIN SELECT RAISE(ABORT, 'ocds_progress goes forward only'); END;
