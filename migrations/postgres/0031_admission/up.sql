-- The examination of a lot's bids before they are scored, from when it was begun.
CREATE TABLE admissions (
    lot_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES openings (lot_id),
    book_id TEXT COLLATE "C" NOT NULL REFERENCES books (id),
    begun_at TIMESTAMP NOT NULL
);

-- What each opened bid says of its price and its bidder's size. `lines_fen` is what its lines come to by unit price and quantity.
CREATE TABLE admission_bids (
    lot_id TEXT COLLATE "C" NOT NULL REFERENCES admissions (lot_id),
    bid_id TEXT COLLATE "C" NOT NULL,
    supplier_id TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    total_fen BIGINT NOT NULL CHECK (total_fen >= 0),
    lines_fen BIGINT,
    is_sme BOOLEAN NOT NULL,
    is_sme_consortium BOOLEAN NOT NULL,
    PRIMARY KEY (lot_id, bid_id),
    FOREIGN KEY (lot_id, bid_id) REFERENCES opened_bids (lot_id, bid_id)
);

-- What is examined of a bid. `content` is JSON: what is asked, what the opening found, on what it stands.
CREATE TABLE admission_items (
    lot_id TEXT COLLATE "C" NOT NULL,
    bid_id TEXT COLLATE "C" NOT NULL,
    code TEXT COLLATE "C" NOT NULL CHECK (length(code) BETWEEN 1 AND 100),
    side TEXT COLLATE "C" NOT NULL CHECK (side IN ('eligibility', 'responsiveness')),
    position BIGINT NOT NULL CHECK (position BETWEEN 1 AND 1000),
    content TEXT COLLATE "C" NOT NULL CHECK (length(content) BETWEEN 2 AND 100000),
    PRIMARY KEY (lot_id, bid_id, code),
    UNIQUE (lot_id, bid_id, position),
    FOREIGN KEY (lot_id, bid_id) REFERENCES admission_bids (lot_id, bid_id)
);

-- What was decided of an item; the last one counts. Nobody decided what follows from a rule.
CREATE TABLE admission_decisions (
    lot_id TEXT COLLATE "C" NOT NULL,
    bid_id TEXT COLLATE "C" NOT NULL,
    code TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL CHECK (number BETWEEN 1 AND 20),
    passes BOOLEAN NOT NULL,
    reason_zh TEXT COLLATE "C" NOT NULL CHECK (length(reason_zh) BETWEEN 1 AND 2000),
    reason_en TEXT COLLATE "C" NOT NULL CHECK (length(reason_en) BETWEEN 1 AND 2000),
    decided_by TEXT COLLATE "C" REFERENCES accounts (id),
    decided_at TIMESTAMP NOT NULL,
    PRIMARY KEY (lot_id, bid_id, code, number),
    FOREIGN KEY (lot_id, bid_id, code) REFERENCES admission_items (lot_id, bid_id, code)
);

-- What a member of the panel holds against the majority's decision of an item.
CREATE TABLE admission_dissents (
    lot_id TEXT COLLATE "C" NOT NULL,
    bid_id TEXT COLLATE "C" NOT NULL,
    code TEXT COLLATE "C" NOT NULL,
    account_id TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    reason TEXT COLLATE "C" NOT NULL CHECK (length(reason) BETWEEN 1 AND 2000),
    noted_at TIMESTAMP NOT NULL,
    PRIMARY KEY (lot_id, bid_id, code, account_id),
    FOREIGN KEY (lot_id, bid_id, code) REFERENCES admission_items (lot_id, bid_id, code)
);

-- A price that was corrected because a bid says several. `content` is JSON: what it says where.
CREATE TABLE price_corrections (
    lot_id TEXT COLLATE "C" NOT NULL,
    bid_id TEXT COLLATE "C" NOT NULL,
    content TEXT COLLATE "C" NOT NULL CHECK (length(content) BETWEEN 2 AND 20000),
    corrected_fen BIGINT NOT NULL CHECK (corrected_fen > 0),
    proposed_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    proposed_at TIMESTAMP NOT NULL,
    answer_until TIMESTAMP NOT NULL,
    confirmed BOOLEAN,
    answered_by TEXT COLLATE "C" REFERENCES accounts (id),
    answered_at TIMESTAMP,
    PRIMARY KEY (lot_id, bid_id),
    FOREIGN KEY (lot_id, bid_id) REFERENCES admission_bids (lot_id, bid_id),
    CHECK ((confirmed IS NULL) = (answered_at IS NULL)),
    CHECK ((confirmed IS NULL) = (answered_by IS NULL)),
    CHECK (answer_until > proposed_at)
);

-- The justification of an abnormally low price. `tests` is JSON: by which tests it is one. `documents` is JSON: attachments.
CREATE TABLE price_justifications (
    lot_id TEXT COLLATE "C" NOT NULL,
    bid_id TEXT COLLATE "C" NOT NULL,
    tests TEXT COLLATE "C" NOT NULL CHECK (length(tests) BETWEEN 2 AND 2000),
    asked_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    asked_at TIMESTAMP NOT NULL,
    answer_until TIMESTAMP NOT NULL,
    statement TEXT COLLATE "C" CHECK (length(statement) BETWEEN 1 AND 8000),
    documents TEXT COLLATE "C" CHECK (length(documents) BETWEEN 2 AND 2000),
    answered_by TEXT COLLATE "C" REFERENCES accounts (id),
    answered_at TIMESTAMP,
    accepted BOOLEAN,
    reason_zh TEXT COLLATE "C" CHECK (length(reason_zh) BETWEEN 1 AND 2000),
    reason_en TEXT COLLATE "C" CHECK (length(reason_en) BETWEEN 1 AND 2000),
    decided_by TEXT COLLATE "C" REFERENCES accounts (id),
    decided_at TIMESTAMP,
    PRIMARY KEY (lot_id, bid_id),
    FOREIGN KEY (lot_id, bid_id) REFERENCES admission_bids (lot_id, bid_id),
    CHECK ((statement IS NULL) = (answered_at IS NULL)),
    CHECK ((accepted IS NULL) = (decided_at IS NULL)),
    CHECK (accepted IS NULL OR (reason_zh IS NOT NULL AND reason_en IS NOT NULL)),
    CHECK (answer_until > asked_at)
);

-- Bids that were put out later, for false statements for instance.
CREATE TABLE bid_disqualifications (
    lot_id TEXT COLLATE "C" NOT NULL REFERENCES openings (lot_id),
    bid_id TEXT COLLATE "C" NOT NULL,
    ground TEXT COLLATE "C" NOT NULL CHECK (length(ground) BETWEEN 1 AND 40),
    reason_zh TEXT COLLATE "C" NOT NULL CHECK (length(reason_zh) BETWEEN 1 AND 2000),
    reason_en TEXT COLLATE "C" NOT NULL CHECK (length(reason_en) BETWEEN 1 AND 2000),
    decided_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    decided_at TIMESTAMP NOT NULL,
    PRIMARY KEY (lot_id, bid_id),
    FOREIGN KEY (lot_id, bid_id) REFERENCES opened_bids (lot_id, bid_id)
);
CREATE TRIGGER admissions_kept
    BEFORE DELETE ON admissions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER admissions_fixed
    BEFORE UPDATE ON admissions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER admission_bids_kept
    BEFORE DELETE ON admission_bids
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER admission_bids_fixed
    BEFORE UPDATE ON admission_bids
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER admission_items_kept
    BEFORE DELETE ON admission_items
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER admission_items_fixed
    BEFORE UPDATE ON admission_items
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER admission_decisions_kept
    BEFORE DELETE ON admission_decisions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER admission_decisions_fixed
    BEFORE UPDATE ON admission_decisions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER admission_dissents_kept
    BEFORE DELETE ON admission_dissents
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER admission_dissents_fixed
    BEFORE UPDATE ON admission_dissents
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER bid_disqualifications_kept
    BEFORE DELETE ON bid_disqualifications
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER bid_disqualifications_fixed
    BEFORE UPDATE ON bid_disqualifications
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER price_corrections_kept
    BEFORE DELETE ON price_corrections
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER price_corrections_answered
    BEFORE UPDATE ON price_corrections
    FOR EACH ROW WHEN (OLD.answered_at IS NOT NULL) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER price_corrections_fixed
    BEFORE UPDATE OF lot_id, bid_id, content, corrected_fen, proposed_by, proposed_at, answer_until ON price_corrections
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER price_justifications_kept
    BEFORE DELETE ON price_justifications
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER price_justifications_decided
    BEFORE UPDATE ON price_justifications
    FOR EACH ROW WHEN (OLD.decided_at IS NOT NULL) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER price_justifications_fixed
    BEFORE UPDATE OF lot_id, bid_id, tests, asked_by, asked_at, answer_until ON price_justifications
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER admissions_not_emptied BEFORE TRUNCATE ON admissions EXECUTE FUNCTION refuse_change();
CREATE TRIGGER admission_bids_not_emptied BEFORE TRUNCATE ON admission_bids EXECUTE FUNCTION refuse_change();
CREATE TRIGGER admission_items_not_emptied BEFORE TRUNCATE ON admission_items EXECUTE FUNCTION refuse_change();
CREATE TRIGGER admission_decisions_not_emptied BEFORE TRUNCATE ON admission_decisions EXECUTE FUNCTION refuse_change();
CREATE TRIGGER admission_dissents_not_emptied BEFORE TRUNCATE ON admission_dissents EXECUTE FUNCTION refuse_change();
CREATE TRIGGER bid_disqualifications_not_emptied BEFORE TRUNCATE ON bid_disqualifications EXECUTE FUNCTION refuse_change();
CREATE TRIGGER price_corrections_not_emptied BEFORE TRUNCATE ON price_corrections EXECUTE FUNCTION refuse_change();
CREATE TRIGGER price_justifications_not_emptied BEFORE TRUNCATE ON price_justifications EXECUTE FUNCTION refuse_change();
