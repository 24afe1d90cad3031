-- What bidders ask about a result (询问).
CREATE TABLE result_queries (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    award_id TEXT COLLATE "C" NOT NULL REFERENCES awards (id),
    lot_id TEXT COLLATE "C" NOT NULL REFERENCES openings (lot_id),
    book_id TEXT COLLATE "C" NOT NULL REFERENCES books (id),
    supplier_id TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    asked_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    question TEXT COLLATE "C" NOT NULL CHECK (length(question) BETWEEN 1 AND 2000),
    asked_at TIMESTAMP NOT NULL,
    reply TEXT COLLATE "C" CHECK (length(reply) BETWEEN 1 AND 2000),
    replied_at TIMESTAMP,
    CHECK ((reply IS NULL) = (replied_at IS NULL))
);
CREATE INDEX result_queries_of ON result_queries (lot_id, id);
CREATE INDEX result_queries_open ON result_queries (id) WHERE replied_at IS NULL;
CREATE TRIGGER result_queries_kept
    BEFORE DELETE ON result_queries
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER result_queries_fixed
    BEFORE UPDATE OF id, award_id, lot_id, book_id, supplier_id, asked_by, question, asked_at ON result_queries
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER result_queries_once
    BEFORE UPDATE ON result_queries
    FOR EACH ROW WHEN (OLD.replied_at IS NOT NULL) EXECUTE FUNCTION refuse_change();

-- Challenges (质疑): one of each bidder against an award, its grounds numbered.
CREATE TABLE challenges (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    award_id TEXT COLLATE "C" NOT NULL REFERENCES awards (id),
    lot_id TEXT COLLATE "C" NOT NULL REFERENCES openings (lot_id),
    book_id TEXT COLLATE "C" NOT NULL REFERENCES books (id),
    supplier_id TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    filed_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    filed_at TIMESTAMP NOT NULL,
    grounds TEXT COLLATE "C" NOT NULL CHECK (length(grounds) BETWEEN 2 AND 200000),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('filed', 'replied', 'withdrawn')),
    outcome TEXT COLLATE "C" CHECK (outcome IN ('upheld', 'partly_upheld', 'rejected')),
    affects_result BOOLEAN,
    reply TEXT COLLATE "C" CHECK (length(reply) BETWEEN 1 AND 8000),
    closed_at TIMESTAMP,
    revision BIGINT NOT NULL CHECK (revision BETWEEN 1 AND 2),
    UNIQUE (award_id, supplier_id),
    CHECK ((state = 'filed') = (closed_at IS NULL)),
    CHECK ((state = 'filed') = (revision = 1)),
    CHECK ((state = 'replied') = (outcome IS NOT NULL)),
    CHECK ((outcome IS NULL) = (reply IS NULL)),
    CHECK ((outcome IS NULL) = (affects_result IS NULL))
);
CREATE INDEX challenges_of ON challenges (lot_id, id);
CREATE INDEX challenges_open ON challenges (id) WHERE state = 'filed';
CREATE TRIGGER challenges_kept
    BEFORE DELETE ON challenges
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER challenges_fixed
    BEFORE UPDATE OF id, award_id, lot_id, book_id, supplier_id, filed_by, filed_at, grounds ON challenges
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER challenges_once
    BEFORE UPDATE ON challenges
    FOR EACH ROW WHEN (OLD.state <> 'filed' OR NEW.revision <> OLD.revision + 1) EXECUTE FUNCTION refuse_change();

-- Complaints (投诉) to the regulator: one about each challenge, by the numbers of its grounds.
CREATE TABLE complaints (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    challenge_id TEXT COLLATE "C" NOT NULL UNIQUE REFERENCES challenges (id),
    award_id TEXT COLLATE "C" NOT NULL REFERENCES awards (id),
    lot_id TEXT COLLATE "C" NOT NULL REFERENCES openings (lot_id),
    book_id TEXT COLLATE "C" NOT NULL REFERENCES books (id),
    supplier_id TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    filed_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    filed_at TIMESTAMP NOT NULL,
    grounds TEXT COLLATE "C" NOT NULL CHECK (length(grounds) BETWEEN 2 AND 1000),
    statement TEXT COLLATE "C" NOT NULL CHECK (length(statement) BETWEEN 1 AND 8000),
    further TEXT COLLATE "C" CHECK (length(further) BETWEEN 1 AND 8000),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('filed', 'accepted', 'refused', 'decided', 'withdrawn')),
    accepted_at TIMESTAMP,
    refusal TEXT COLLATE "C" CHECK (length(refusal) BETWEEN 1 AND 2000),
    outcome TEXT COLLATE "C" CHECK (outcome IN ('upheld', 'rejected', 'rejected_unfounded')),
    consequence TEXT COLLATE "C" CHECK (consequence IN ('award_cancelled', 'reevaluation', 'lot_unsuccessful', 'compensation')),
    decision_zh TEXT COLLATE "C" CHECK (length(decision_zh) BETWEEN 1 AND 2000),
    decision_en TEXT COLLATE "C" CHECK (length(decision_en) BETWEEN 1 AND 2000),
    closed_at TIMESTAMP,
    revision BIGINT NOT NULL CHECK (revision BETWEEN 1 AND 3),
    CHECK ((state IN ('filed', 'accepted')) = (closed_at IS NULL)),
    CHECK (state <> 'accepted' OR accepted_at IS NOT NULL),
    CHECK (state <> 'decided' OR accepted_at IS NOT NULL),
    CHECK (state NOT IN ('filed', 'refused') OR accepted_at IS NULL),
    CHECK ((state = 'refused') = (refusal IS NOT NULL)),
    CHECK ((state = 'decided') = (outcome IS NOT NULL)),
    CHECK ((outcome IS NOT NULL AND outcome = 'upheld') = (consequence IS NOT NULL)),
    CHECK ((outcome IS NULL) = (decision_zh IS NULL)),
    CHECK ((outcome IS NULL) = (decision_en IS NULL))
);
CREATE INDEX complaints_of ON complaints (lot_id, id);
CREATE INDEX complaints_by ON complaints (supplier_id, closed_at);
CREATE INDEX complaints_open ON complaints (id) WHERE closed_at IS NULL;
CREATE TRIGGER complaints_kept
    BEFORE DELETE ON complaints
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER complaints_fixed
    BEFORE UPDATE OF id, challenge_id, award_id, lot_id, book_id, supplier_id, filed_by, filed_at, grounds, statement, further ON complaints
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER complaints_forward
    BEFORE UPDATE ON complaints
    FOR EACH ROW WHEN (OLD.closed_at IS NOT NULL OR NEW.revision <> OLD.revision + 1 OR NEW.state = 'filed' OR (OLD.state = 'accepted' AND NEW.state NOT IN ('decided', 'withdrawn')) OR (OLD.state = 'filed' AND NEW.state = 'decided')) EXECUTE FUNCTION refuse_change();

-- Suspensions of a book: ordered with a complaint, for some days, after which they end by themselves.
CREATE TABLE suspensions (
    complaint_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES complaints (id),
    book_id TEXT COLLATE "C" NOT NULL REFERENCES books (id),
    from_at TIMESTAMP NOT NULL,
    until_at TIMESTAMP NOT NULL,
    lifted_at TIMESTAMP,
    CHECK (until_at > from_at),
    CHECK (lifted_at IS NULL OR (lifted_at >= from_at AND lifted_at < until_at))
);
CREATE INDEX suspensions_of ON suspensions (book_id, from_at);
CREATE TRIGGER suspensions_kept
    BEFORE DELETE ON suspensions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER suspensions_fixed
    BEFORE UPDATE OF complaint_id, book_id, from_at, until_at ON suspensions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER suspensions_once
    BEFORE UPDATE ON suspensions
    FOR EACH ROW WHEN (OLD.lifted_at IS NOT NULL) EXECUTE FUNCTION refuse_change();

-- Suppliers whose complaints were unfounded so often that they are listed in public.
CREATE TABLE complainant_listings (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    supplier_id TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    complaints TEXT COLLATE "C" NOT NULL CHECK (length(complaints) BETWEEN 2 AND 100000),
    months BIGINT NOT NULL CHECK (months BETWEEN 1 AND 1200),
    listed_at TIMESTAMP NOT NULL
);
CREATE INDEX complainant_listings_of ON complainant_listings (supplier_id, listed_at);
CREATE TRIGGER complainant_listings_kept
    BEFORE DELETE ON complainant_listings
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER complainant_listings_fixed
    BEFORE UPDATE ON complainant_listings
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER result_queries_not_emptied BEFORE TRUNCATE ON result_queries EXECUTE FUNCTION refuse_change();
CREATE TRIGGER challenges_not_emptied BEFORE TRUNCATE ON challenges EXECUTE FUNCTION refuse_change();
CREATE TRIGGER complaints_not_emptied BEFORE TRUNCATE ON complaints EXECUTE FUNCTION refuse_change();
CREATE TRIGGER suspensions_not_emptied BEFORE TRUNCATE ON suspensions EXECUTE FUNCTION refuse_change();
CREATE TRIGGER complainant_listings_not_emptied BEFORE TRUNCATE ON complainant_listings EXECUTE FUNCTION refuse_change();
