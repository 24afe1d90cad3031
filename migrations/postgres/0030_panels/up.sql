-- Who may be drawn into panels. `employers` is JSON: organisations, and until which day they were employed there.
CREATE TABLE experts (
    account_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES accounts (id),
    version BIGINT NOT NULL CHECK (version BETWEEN 1 AND 1000000),
    employers TEXT COLLATE "C" NOT NULL CHECK (length(employers) BETWEEN 2 AND 10000),
    unavailable_until DATE,
    listed_at TIMESTAMP NOT NULL,
    changed_at TIMESTAMP NOT NULL,
    withdrawn_at TIMESTAMP
);
CREATE TABLE expert_categories (
    account_id TEXT COLLATE "C" NOT NULL REFERENCES experts (account_id),
    category TEXT COLLATE "C" NOT NULL REFERENCES service_categories (code),
    PRIMARY KEY (account_id, category)
);
CREATE INDEX expert_categories_of ON expert_categories (category, account_id);

-- The panel of a book. Once it is disclosed it has the record of it as it was written and hashed.
CREATE TABLE panels (
    book_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES books (id),
    size BIGINT NOT NULL CHECK (size BETWEEN 1 AND 99),
    experts BIGINT NOT NULL CHECK (experts BETWEEN 0 AND size),
    has_large_impact BOOLEAN NOT NULL,
    requested_at TIMESTAMP NOT NULL,
    disclosed_at TIMESTAMP,
    record TEXT COLLATE "C" CHECK (length(record) BETWEEN 2 AND 4194304),
    record_sha256 BYTEA CHECK (length(record_sha256) = 32),
    CHECK ((disclosed_at IS NULL) = (record IS NULL)),
    CHECK ((disclosed_at IS NULL) = (record_sha256 IS NULL))
);

-- Draws of a panel: the first, and one more whenever everybody drawn before was called. The event of a draw has both hashes.
CREATE TABLE panel_draws (
    book_id TEXT COLLATE "C" NOT NULL REFERENCES panels (book_id),
    number BIGINT NOT NULL CHECK (number BETWEEN 1 AND 9),
    seed BYTEA NOT NULL CHECK (length(seed) = 32),
    candidates TEXT COLLATE "C" NOT NULL CHECK (length(candidates) BETWEEN 2 AND 1000000),
    candidates_sha256 BYTEA NOT NULL CHECK (length(candidates_sha256) = 32),
    drawn_at TIMESTAMP NOT NULL,
    PRIMARY KEY (book_id, number)
);

-- Who was called to a seat, and what became of it. `place` counts the order of the draw.
CREATE TABLE panel_members (
    book_id TEXT COLLATE "C" NOT NULL REFERENCES panels (book_id),
    account_id TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    seat BIGINT NOT NULL CHECK (seat BETWEEN 1 AND 99),
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('expert', 'buyer')),
    draw BIGINT CHECK (draw BETWEEN 1 AND 9),
    place BIGINT CHECK (place BETWEEN 1 AND 10000),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('called', 'sitting', 'stepped_back', 'declined', 'absent', 'passed_over')),
    called_at TIMESTAMP NOT NULL,
    declared_at TIMESTAMP,
    interests TEXT COLLATE "C" CHECK (length(interests) BETWEEN 2 AND 200000),
    ended_at TIMESTAMP,
    reason TEXT COLLATE "C" CHECK (length(reason) BETWEEN 1 AND 2000),
    vote TEXT COLLATE "C" REFERENCES accounts (id),
    is_chair BOOLEAN NOT NULL,
    PRIMARY KEY (book_id, account_id),
    UNIQUE (book_id, draw, place),
    FOREIGN KEY (book_id, draw) REFERENCES panel_draws (book_id, number),
    CHECK ((kind = 'expert') = (draw IS NOT NULL)),
    CHECK ((draw IS NULL) = (place IS NULL)),
    CHECK ((state IN ('called', 'sitting')) = (ended_at IS NULL)),
    CHECK (state <> 'sitting' OR declared_at IS NOT NULL),
    CHECK (state = 'sitting' OR NOT is_chair)
);
CREATE UNIQUE INDEX panel_members_seats ON panel_members (book_id, seat) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX panel_members_chair ON panel_members (book_id) WHERE is_chair;
CREATE INDEX panel_members_of ON panel_members (account_id, book_id);
CREATE TRIGGER experts_kept
    BEFORE DELETE ON experts
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER panels_kept
    BEFORE DELETE ON panels
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER panels_fixed
    BEFORE UPDATE ON panels
    FOR EACH ROW WHEN (OLD.disclosed_at IS NOT NULL OR NEW.book_id <> OLD.book_id OR NEW.size <> OLD.size
        OR NEW.experts <> OLD.experts OR NEW.has_large_impact <> OLD.has_large_impact OR NEW.requested_at <> OLD.requested_at) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER panel_draws_kept
    BEFORE DELETE ON panel_draws
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER panel_draws_fixed
    BEFORE UPDATE ON panel_draws
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER panel_members_kept
    BEFORE DELETE ON panel_members
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER panel_members_ended
    BEFORE UPDATE ON panel_members
    FOR EACH ROW WHEN (OLD.ended_at IS NOT NULL) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER panel_members_fixed
    BEFORE UPDATE OF book_id, account_id, seat, kind, draw, place, called_at ON panel_members
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER experts_not_emptied BEFORE TRUNCATE ON experts EXECUTE FUNCTION refuse_change();
CREATE TRIGGER panels_not_emptied BEFORE TRUNCATE ON panels EXECUTE FUNCTION refuse_change();
CREATE TRIGGER panel_draws_not_emptied BEFORE TRUNCATE ON panel_draws EXECUTE FUNCTION refuse_change();
CREATE TRIGGER panel_members_not_emptied BEFORE TRUNCATE ON panel_members EXECUTE FUNCTION refuse_change();
