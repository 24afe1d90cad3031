-- What is wrong at a served place. While one of a category is open at a place, whoever reports the same joins it.
CREATE TABLE defects (
    id TEXT NOT NULL PRIMARY KEY,
    contract_id TEXT NOT NULL REFERENCES contracts (id),
    place_id TEXT NOT NULL REFERENCES served_places (id),
    category TEXT NOT NULL CHECK (length(category) BETWEEN 1 AND 40),
    category_zh TEXT NOT NULL CHECK (length(category_zh) BETWEEN 1 AND 100),
    category_en TEXT NOT NULL CHECK (length(category_en) BETWEEN 1 AND 100),
    state TEXT NOT NULL CHECK (state IN ('reported', 'dispatched', 'acknowledged', 'fixed', 'reopened', 'confirmed', 'rejected', 'withdrawn')),
    revision BIGINT NOT NULL CHECK (revision >= 1),
    reports_count BIGINT NOT NULL CHECK (reports_count >= 1),
    reported_at TIMESTAMP NOT NULL,
    last_reported_at TIMESTAMP NOT NULL,
    occurred_at TIMESTAMP,
    round BIGINT NOT NULL CHECK (round >= 0),
    due_at TIMESTAMP,
    silent_at TIMESTAMP,
    closed_at TIMESTAMP,
    closed_by TEXT CHECK (closed_by IN ('reporter', 'officer', 'silence')),
    reason TEXT CHECK (length(reason) BETWEEN 1 AND 1000),
    CHECK ((state IN ('confirmed', 'rejected', 'withdrawn')) = (closed_at IS NOT NULL)),
    CHECK ((closed_by IS NULL) = (closed_at IS NULL)),
    CHECK ((state = 'fixed') = (silent_at IS NOT NULL)),
    CHECK (state <> 'rejected' OR reason IS NOT NULL),
    CHECK (state NOT IN ('dispatched', 'acknowledged', 'fixed', 'reopened', 'confirmed') OR round >= 1),
    CHECK (state <> 'reported' OR round = 0)
);
CREATE UNIQUE INDEX defects_open ON defects (place_id, category) WHERE state IN ('reported', 'dispatched', 'acknowledged', 'fixed', 'reopened');
CREATE INDEX defects_of_contract ON defects (contract_id, reported_at, id);
CREATE INDEX defects_by_time ON defects (reported_at, id);
CREATE INDEX defects_silent ON defects (silent_at, id) WHERE silent_at IS NOT NULL;

-- Each time that the contractor was called to put it right, and what came of it.
CREATE TABLE defect_rounds (
    defect_id TEXT NOT NULL REFERENCES defects (id),
    number BIGINT NOT NULL CHECK (number BETWEEN 1 AND 100),
    called_at TIMESTAMP NOT NULL,
    started_at TIMESTAMP NOT NULL,
    due_at TIMESTAMP,
    remind_at TIMESTAMP,
    acknowledged_at TIMESTAMP,
    fixed_at TIMESTAMP,
    note TEXT CHECK (length(note) BETWEEN 1 AND 1000),
    reopened_at TIMESTAMP,
    reopened_by TEXT CHECK (reopened_by IN ('reporter', 'officer')),
    reason TEXT CHECK (length(reason) BETWEEN 1 AND 1000),
    PRIMARY KEY (defect_id, number),
    CHECK (started_at <= called_at),
    CHECK (due_at IS NULL OR due_at >= started_at),
    CHECK ((remind_at IS NULL) = (due_at IS NULL)),
    CHECK (fixed_at IS NULL OR acknowledged_at IS NOT NULL),
    CHECK ((note IS NULL) = (fixed_at IS NULL)),
    CHECK (reopened_at IS NULL OR fixed_at IS NOT NULL),
    CHECK ((reopened_by IS NULL) = (reopened_at IS NULL)),
    CHECK ((reason IS NULL) = (reopened_at IS NULL))
);
CREATE INDEX defect_rounds_running ON defect_rounds (remind_at, defect_id) WHERE fixed_at IS NULL;
CREATE INDEX defect_rounds_due ON defect_rounds (due_at, defect_id);

-- What people have said of it; the first twenty are kept, the others counted.
CREATE TABLE defect_reports (
    id TEXT NOT NULL PRIMARY KEY,
    defect_id TEXT NOT NULL REFERENCES defects (id),
    number BIGINT NOT NULL CHECK (number BETWEEN 1 AND 20),
    reporter TEXT NOT NULL CHECK (reporter IN ('officer', 'resident', 'account', 'anonymous')),
    account_id TEXT,
    words TEXT NOT NULL CHECK (length(words) BETWEEN 1 AND 1000),
    visibility TEXT NOT NULL CHECK (visibility IN ('unreleased', 'released', 'hidden')),
    reason TEXT CHECK (length(reason) BETWEEN 1 AND 1000),
    revision BIGINT NOT NULL CHECK (revision >= 1),
    reported_at TIMESTAMP NOT NULL,
    reported_on DATE NOT NULL,
    UNIQUE (defect_id, number),
    CHECK ((reporter = 'anonymous') = (account_id IS NULL))
);
CREATE INDEX defect_reports_by ON defect_reports (account_id, id) WHERE account_id IS NOT NULL;

-- Where those without an account want to hear of it; forgotten some time after it is over.
CREATE TABLE defect_contacts (
    report_id TEXT NOT NULL PRIMARY KEY REFERENCES defect_reports (id),
    email TEXT NOT NULL CHECK (length(email) BETWEEN 3 AND 254),
    language TEXT NOT NULL CHECK (language IN ('zh-CN', 'en'))
);

-- How many reports came for a place on a day, and what became of them.
CREATE TABLE defect_report_days (
    place_id TEXT NOT NULL REFERENCES served_places (id),
    day DATE NOT NULL,
    taken BIGINT NOT NULL CHECK (taken >= 0),
    joined BIGINT NOT NULL CHECK (joined BETWEEN 0 AND taken),
    only_counted BIGINT NOT NULL CHECK (only_counted >= 0),
    refused BIGINT NOT NULL CHECK (refused >= 0),
    hidden BIGINT NOT NULL CHECK (hidden >= 0),
    PRIMARY KEY (place_id, day)
);
CREATE TRIGGER defects_kept BEFORE DELETE ON defects
BEGIN SELECT RAISE(ABORT, 'defects is append-only'); END;
CREATE TRIGGER defects_fixed BEFORE UPDATE OF id, contract_id, place_id, category, category_zh, category_en, reported_at, occurred_at ON defects
BEGIN SELECT RAISE(ABORT, 'defects is append-only'); END;
CREATE TRIGGER defects_closed BEFORE UPDATE ON defects
    WHEN OLD.closed_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'defects is append-only'); END;
CREATE TRIGGER defects_forward BEFORE UPDATE ON defects
    WHEN NEW.revision NOT IN (OLD.revision, OLD.revision + 1) OR NEW.reports_count < OLD.reports_count OR NEW.round < OLD.round OR (NEW.revision = OLD.revision AND NEW.state <> OLD.state)
BEGIN SELECT RAISE(ABORT, 'defects is append-only'); END;
CREATE TRIGGER defect_rounds_kept BEFORE DELETE ON defect_rounds
BEGIN SELECT RAISE(ABORT, 'defect_rounds is append-only'); END;
CREATE TRIGGER defect_rounds_fixed BEFORE UPDATE OF defect_id, number, called_at, started_at, due_at, remind_at ON defect_rounds
BEGIN SELECT RAISE(ABORT, 'defect_rounds is append-only'); END;
CREATE TRIGGER defect_rounds_once BEFORE UPDATE ON defect_rounds
    WHEN (OLD.acknowledged_at IS NOT NULL AND NEW.acknowledged_at IS NULL) OR (OLD.fixed_at IS NOT NULL AND (NEW.fixed_at IS NULL OR NEW.fixed_at <> OLD.fixed_at OR NEW.note <> OLD.note)) OR OLD.reopened_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'defect_rounds is append-only'); END;
CREATE TRIGGER defect_reports_kept BEFORE DELETE ON defect_reports
BEGIN SELECT RAISE(ABORT, 'defect_reports is append-only'); END;
CREATE TRIGGER defect_reports_fixed BEFORE UPDATE OF id, defect_id, number, reporter, account_id, words, reported_at, reported_on ON defect_reports
BEGIN SELECT RAISE(ABORT, 'defect_reports is append-only'); END;
CREATE TRIGGER defect_reports_forward BEFORE UPDATE ON defect_reports
    WHEN NEW.revision <> OLD.revision + 1 OR NEW.visibility = 'unreleased'
BEGIN SELECT RAISE(ABORT, 'defect_reports is append-only'); END;
