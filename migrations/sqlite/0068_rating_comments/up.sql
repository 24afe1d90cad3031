-- What voters say of a period in their own words, apart from how they vote: nothing here leads to a voter.
CREATE TABLE rating_comments (
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
);
CREATE INDEX rating_comments_of_ballot ON rating_comments (ballot_id, id);

-- Who has said something; and not what.
CREATE TABLE rating_commenters (
    ballot_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (ballot_id, number),
    FOREIGN KEY (ballot_id, number) REFERENCES ballot_voters (ballot_id, number)
) WITHOUT ROWID;

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
CREATE TRIGGER rating_commenters_kept BEFORE DELETE ON rating_commenters
BEGIN SELECT RAISE(ABORT, 'rating_commenters is append-only'); END;
CREATE TRIGGER rating_commenters_fixed BEFORE UPDATE ON rating_commenters
BEGIN SELECT RAISE(ABORT, 'rating_commenters is append-only'); END;
