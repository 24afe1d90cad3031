-- What a meeting of residents' representatives gave a lot's bids: recorded by one person, confirmed by another. `points` is JSON.
CREATE TABLE lot_appraisals (
    lot_id TEXT NOT NULL PRIMARY KEY REFERENCES openings (lot_id),
    version BIGINT NOT NULL CHECK (version BETWEEN 1 AND 1000000),
    held_on DATE NOT NULL,
    eligible BIGINT NOT NULL CHECK (eligible BETWEEN 1 AND 1000000),
    present BIGINT NOT NULL CHECK (present BETWEEN 1 AND eligible),
    quorum_numerator BIGINT NOT NULL CHECK (quorum_numerator BETWEEN 0 AND 1000),
    quorum_denominator BIGINT NOT NULL CHECK (quorum_denominator BETWEEN 1 AND 1000),
    quorum_exceeded BOOLEAN NOT NULL,
    minutes TEXT NOT NULL REFERENCES attachments (id),
    points TEXT NOT NULL CHECK (length(points) BETWEEN 2 AND 4194304),
    recorded_by TEXT NOT NULL REFERENCES accounts (id),
    recorded_at TIMESTAMP NOT NULL,
    confirmed_by TEXT REFERENCES accounts (id),
    confirmed_at TIMESTAMP,
    CHECK ((confirmed_by IS NULL) = (confirmed_at IS NULL)),
    CHECK (confirmed_by <> recorded_by)
);
CREATE TRIGGER lot_appraisals_kept BEFORE DELETE ON lot_appraisals
BEGIN SELECT RAISE(ABORT, 'lot_appraisals is append-only'); END;
CREATE TRIGGER lot_appraisals_done BEFORE UPDATE ON lot_appraisals WHEN OLD.confirmed_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'lot_appraisals is append-only'); END;
CREATE TRIGGER lot_appraisals_fixed BEFORE UPDATE OF lot_id ON lot_appraisals
BEGIN SELECT RAISE(ABORT, 'lot_appraisals is append-only'); END;
