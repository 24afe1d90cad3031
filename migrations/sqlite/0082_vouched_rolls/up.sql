-- What the ballot's key says of each entry of a roll: an entry that was changed or added behind the service's back has no vote.
ALTER TABLE ballot_voters ADD COLUMN seal BLOB CHECK (length(seal) = 32);
DROP TRIGGER ballot_voters_fixed;
CREATE TRIGGER ballot_voters_fixed BEFORE UPDATE OF ballot_id, number, resident_id, community_id, area_dm2, seal ON ballot_voters
BEGIN SELECT RAISE(ABORT, 'ballot_voters is append-only'); END;
-- When a voter's letter was printed last, and how often one was: they are told, because whoever prints another one could use it.
ALTER TABLE ballot_letters ADD COLUMN printed_at TIMESTAMP;
ALTER TABLE ballot_letters ADD COLUMN printings BIGINT NOT NULL DEFAULT 1 CHECK (printings >= 1);
-- A number by which rows are in the order in which they were written would lead from a comment to its instant in the log.
CREATE TABLE rating_comments_again (
    id TEXT NOT NULL PRIMARY KEY,
    ballot_id TEXT NOT NULL REFERENCES ballots (id),
    contract_id TEXT NOT NULL REFERENCES contracts (id),
    period BIGINT NOT NULL CHECK (period >= 1),
    words TEXT NOT NULL CHECK (length(words) BETWEEN 1 AND 2000),
    state TEXT NOT NULL CHECK (state IN ('received', 'released', 'withheld')),
    reason TEXT CHECK (length(reason) BETWEEN 1 AND 2000),
    decided_by TEXT REFERENCES accounts (id),
    decided_at TIMESTAMP,
    reply TEXT CHECK (length(reply) BETWEEN 1 AND 2000),
    replied_by TEXT REFERENCES accounts (id),
    replied_at TIMESTAMP,
    CHECK ((state = 'received') = (decided_by IS NULL)),
    CHECK ((decided_by IS NULL) = (decided_at IS NULL)),
    CHECK ((state = 'withheld') = (reason IS NOT NULL)),
    CHECK (reply IS NULL OR state = 'released'),
    CHECK ((reply IS NULL) = (replied_by IS NULL)),
    CHECK ((reply IS NULL) = (replied_at IS NULL))
) WITHOUT ROWID;
INSERT INTO rating_comments_again SELECT * FROM rating_comments ORDER BY id;
DROP TABLE rating_comments;
ALTER TABLE rating_comments_again RENAME TO rating_comments;
CREATE INDEX rating_comments_of_ballot ON rating_comments (ballot_id, id);
CREATE TRIGGER rating_comments_kept BEFORE DELETE ON rating_comments
BEGIN SELECT RAISE(ABORT, 'rating_comments is append-only'); END;
CREATE TRIGGER rating_comments_fixed BEFORE UPDATE OF id, ballot_id, contract_id, period, words ON rating_comments
BEGIN SELECT RAISE(ABORT, 'rating_comments is append-only'); END;
CREATE TRIGGER rating_comments_decided BEFORE UPDATE OF state, reason, decided_by, decided_at ON rating_comments
    WHEN OLD.state <> 'received'
BEGIN SELECT RAISE(ABORT, 'rating_comments is append-only'); END;
CREATE TRIGGER rating_comments_replied BEFORE UPDATE OF reply, replied_by, replied_at ON rating_comments
    WHEN OLD.reply IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'rating_comments is append-only'); END;
