-- Who may be drawn into panels. `employers` is JSON: organisations, and until which day they were employed there.
CREATE TABLE experts (
    account_id TEXT NOT NULL PRIMARY KEY REFERENCES accounts (id),
    version BIGINT NOT NULL CHECK (version BETWEEN 1 AND 1000000),
    employers TEXT NOT NULL CHECK (length(employers) BETWEEN 2 AND 10000),
    unavailable_until DATE,
    listed_at TIMESTAMP NOT NULL,
    changed_at TIMESTAMP NOT NULL,
    withdrawn_at TIMESTAMP
);
CREATE TABLE expert_categories (
    account_id TEXT NOT NULL REFERENCES experts (account_id),
    category TEXT NOT NULL REFERENCES service_categories (code),
    PRIMARY KEY (account_id, category)
);
CREATE INDEX expert_categories_of ON expert_categories (category, account_id);

-- The panel of a book. Once it is disclosed it has the record of it as it was written and hashed.
CREATE TABLE panels (
    book_id TEXT NOT NULL PRIMARY KEY REFERENCES books (id),
    size BIGINT NOT NULL CHECK (size BETWEEN 1 AND 99),
    experts BIGINT NOT NULL CHECK (experts BETWEEN 0 AND size),
    has_large_impact BOOLEAN NOT NULL,
    requested_at TIMESTAMP NOT NULL,
    disclosed_at TIMESTAMP,
    record TEXT CHECK (length(record) BETWEEN 2 AND 4194304),
    record_sha256 BLOB CHECK (length(record_sha256) = 32),
    CHECK ((disclosed_at IS NULL) = (record IS NULL)),
    CHECK ((disclosed_at IS NULL) = (record_sha256 IS NULL))
);

-- Draws of a panel: the first, and one more whenever everybody drawn before was called. The event of a draw has both hashes.
CREATE TABLE panel_draws (
    book_id TEXT NOT NULL REFERENCES panels (book_id),
    number BIGINT NOT NULL CHECK (number BETWEEN 1 AND 9),
    seed BLOB NOT NULL CHECK (length(seed) = 32),
    candidates TEXT NOT NULL CHECK (length(candidates) BETWEEN 2 AND 1000000),
    candidates_sha256 BLOB NOT NULL CHECK (length(candidates_sha256) = 32),
    drawn_at TIMESTAMP NOT NULL,
    PRIMARY KEY (book_id, number)
);

-- Who was called to a seat, and what became of it. `place` counts the order of the draw.
CREATE TABLE panel_members (
    book_id TEXT NOT NULL REFERENCES panels (book_id),
    account_id TEXT NOT NULL REFERENCES accounts (id),
    seat BIGINT NOT NULL CHECK (seat BETWEEN 1 AND 99),
    kind TEXT NOT NULL CHECK (kind IN ('expert', 'buyer')),
    draw BIGINT CHECK (draw BETWEEN 1 AND 9),
    place BIGINT CHECK (place BETWEEN 1 AND 10000),
    state TEXT NOT NULL CHECK (state IN ('called', 'sitting', 'stepped_back', 'declined', 'absent', 'passed_over')),
    called_at TIMESTAMP NOT NULL,
    declared_at TIMESTAMP,
    interests TEXT CHECK (length(interests) BETWEEN 2 AND 200000),
    ended_at TIMESTAMP,
    reason TEXT CHECK (length(reason) BETWEEN 1 AND 2000),
    vote TEXT REFERENCES accounts (id),
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
CREATE TRIGGER experts_kept BEFORE DELETE ON experts
BEGIN SELECT RAISE(ABORT, 'experts is append-only'); END;
CREATE TRIGGER panels_kept BEFORE DELETE ON panels
BEGIN SELECT RAISE(ABORT, 'panels is append-only'); END;
CREATE TRIGGER panels_fixed BEFORE UPDATE ON panels
    WHEN OLD.disclosed_at IS NOT NULL OR NEW.book_id <> OLD.book_id OR NEW.size <> OLD.size OR NEW.experts <> OLD.experts
        OR NEW.has_large_impact <> OLD.has_large_impact OR NEW.requested_at <> OLD.requested_at
BEGIN SELECT RAISE(ABORT, 'panels is append-only'); END;
CREATE TRIGGER panel_draws_kept BEFORE DELETE ON panel_draws
BEGIN SELECT RAISE(ABORT, 'panel_draws is append-only'); END;
CREATE TRIGGER panel_draws_fixed BEFORE UPDATE ON panel_draws
BEGIN SELECT RAISE(ABORT, 'panel_draws is append-only'); END;
CREATE TRIGGER panel_members_kept BEFORE DELETE ON panel_members
BEGIN SELECT RAISE(ABORT, 'panel_members is append-only'); END;
CREATE TRIGGER panel_members_ended BEFORE UPDATE ON panel_members WHEN OLD.ended_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'panel_members is append-only'); END;
CREATE TRIGGER panel_members_fixed BEFORE UPDATE OF book_id, account_id, seat, kind, draw, place, called_at ON panel_members
BEGIN SELECT RAISE(ABORT, 'panel_members is append-only'); END;
