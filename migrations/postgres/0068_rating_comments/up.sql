-- What voters say of a period in their own words, apart from how they vote: nothing here leads to a voter.
CREATE TABLE rating_comments (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    ballot_id TEXT COLLATE "C" NOT NULL REFERENCES ballots (id),
    contract_id TEXT COLLATE "C" NOT NULL REFERENCES contracts (id),
    period BIGINT NOT NULL CHECK (period >= 1),
    words TEXT COLLATE "C" NOT NULL CHECK (length(words) BETWEEN 1 AND 2000),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('received', 'released', 'withheld')),
    reason TEXT COLLATE "C" CHECK (length(reason) BETWEEN 1 AND 2000),
    decided_by TEXT COLLATE "C" REFERENCES accounts (id),
    decided_at TIMESTAMP,
    reply TEXT COLLATE "C" CHECK (length(reply) BETWEEN 1 AND 2000),
    replied_by TEXT COLLATE "C" REFERENCES accounts (id),
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
    ballot_id TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (ballot_id, number),
    FOREIGN KEY (ballot_id, number) REFERENCES ballot_voters (ballot_id, number)
);

CREATE TRIGGER rating_comments_kept
    BEFORE DELETE ON rating_comments
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER rating_comments_fixed
    BEFORE UPDATE OF id, ballot_id, contract_id, period, words ON rating_comments
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER rating_comments_decided
    BEFORE UPDATE OF state, reason, decided_by, decided_at ON rating_comments
    FOR EACH ROW WHEN (OLD.state <> 'received') EXECUTE FUNCTION refuse_change();
CREATE TRIGGER rating_comments_replied
    BEFORE UPDATE OF reply, replied_by, replied_at ON rating_comments
    FOR EACH ROW WHEN (OLD.reply IS NOT NULL) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER rating_comments_not_emptied BEFORE TRUNCATE ON rating_comments EXECUTE FUNCTION refuse_change();
CREATE TRIGGER rating_commenters_kept
    BEFORE DELETE ON rating_commenters
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER rating_commenters_fixed
    BEFORE UPDATE ON rating_commenters
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER rating_commenters_not_emptied BEFORE TRUNCATE ON rating_commenters EXECUTE FUNCTION refuse_change();
