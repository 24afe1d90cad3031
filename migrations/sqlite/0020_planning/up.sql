-- What a department plans to buy: intention notices (采购意向) and the records of what was asked before a need was settled.
CREATE TABLE intention_notices (
    id TEXT NOT NULL PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    state TEXT NOT NULL CHECK (state IN ('draft', 'published', 'withdrawn')),
    -- The number of the version that is shown: the last one published, or the first draft.
    shown BIGINT NOT NULL CHECK (shown >= 1),
    revision BIGINT NOT NULL CHECK (revision >= 1),
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    published_at TIMESTAMP,
    withdrawn_at TIMESTAMP,
    withdrawal_zh TEXT CHECK (length(withdrawal_zh) BETWEEN 1 AND 500),
    withdrawal_en TEXT CHECK (length(withdrawal_en) BETWEEN 1 AND 500),
    CHECK ((state = 'draft') = (published_at IS NULL)),
    CHECK ((state = 'withdrawn') = (withdrawn_at IS NOT NULL)),
    CHECK ((withdrawal_zh IS NULL) = (withdrawn_at IS NULL)),
    CHECK ((withdrawal_en IS NULL) = (withdrawn_at IS NULL))
);
CREATE INDEX intention_notices_organisations ON intention_notices (organisation_id, id);
CREATE TRIGGER intention_notices_kept BEFORE DELETE ON intention_notices
BEGIN SELECT RAISE(ABORT, 'intention_notices is append-only'); END;
CREATE TRIGGER intention_notices_fixed BEFORE UPDATE OF id, organisation_id, created_at ON intention_notices
BEGIN SELECT RAISE(ABORT, 'intention_notices is append-only'); END;
CREATE TRIGGER intention_notices_published_once BEFORE UPDATE OF published_at ON intention_notices WHEN OLD.published_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'intention_notices is append-only'); END;
CREATE TRIGGER intention_notices_forward BEFORE UPDATE ON intention_notices WHEN OLD.state = 'withdrawn' OR (OLD.state = 'published' AND NEW.state = 'draft') OR (OLD.state = 'draft' AND NEW.state = 'withdrawn')
BEGIN SELECT RAISE(ABORT, 'intention_notices is append-only'); END;
CREATE TABLE intention_versions (
    notice_id TEXT NOT NULL REFERENCES intention_notices (id),
    number BIGINT NOT NULL CHECK (number >= 1),
    category TEXT NOT NULL REFERENCES service_categories (code),
    title_zh TEXT NOT NULL CHECK (length(title_zh) BETWEEN 1 AND 200),
    title_en TEXT NOT NULL CHECK (length(title_en) BETWEEN 1 AND 200),
    overview_zh TEXT NOT NULL CHECK (length(overview_zh) BETWEEN 1 AND 5000),
    overview_en TEXT NOT NULL CHECK (length(overview_en) BETWEEN 1 AND 5000),
    budget_fen BIGINT NOT NULL CHECK (budget_fen BETWEEN 1 AND 9000000000000000),
    expected_month TEXT NOT NULL CHECK (length(expected_month) = 7),
    contact TEXT NOT NULL CHECK (length(contact) BETWEEN 1 AND 200),
    -- Ids of areas with spaces between them.
    area_ids TEXT NOT NULL CHECK (length(area_ids) BETWEEN 1 AND 2000),
    reason_zh TEXT CHECK (length(reason_zh) BETWEEN 1 AND 500),
    reason_en TEXT CHECK (length(reason_en) BETWEEN 1 AND 500),
    drafted_by TEXT NOT NULL,
    drafted_at TIMESTAMP NOT NULL,
    published_by TEXT,
    published_at TIMESTAMP,
    PRIMARY KEY (notice_id, number),
    CHECK ((number = 1) = (reason_zh IS NULL)),
    CHECK ((reason_zh IS NULL) = (reason_en IS NULL)),
    CHECK ((published_by IS NULL) = (published_at IS NULL)),
    CHECK (published_by IS NULL OR published_by <> drafted_by)
) WITHOUT ROWID;
CREATE UNIQUE INDEX intention_versions_drafts ON intention_versions (notice_id) WHERE published_at IS NULL;
CREATE TRIGGER intention_versions_kept BEFORE DELETE ON intention_versions
BEGIN SELECT RAISE(ABORT, 'intention_versions is append-only'); END;
CREATE TRIGGER intention_versions_fixed BEFORE UPDATE ON intention_versions WHEN OLD.published_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'intention_versions is append-only'); END;
-- Which notices are about which areas, as they are shown: an index of what stands in their versions.
CREATE TABLE intention_areas (
    notice_id TEXT NOT NULL REFERENCES intention_notices (id),
    area_id TEXT NOT NULL REFERENCES areas (id),
    PRIMARY KEY (notice_id, area_id)
) WITHOUT ROWID;
CREATE INDEX intention_areas_areas ON intention_areas (area_id, notice_id);

-- A record of who was asked about a need, and of what they said, before the need was settled (财库〔2021〕22号).
CREATE TABLE consultations (
    id TEXT NOT NULL PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    category TEXT NOT NULL REFERENCES service_categories (code),
    state TEXT NOT NULL CHECK (state IN ('draft', 'concluded')),
    title_zh TEXT NOT NULL CHECK (length(title_zh) BETWEEN 1 AND 200),
    title_en TEXT NOT NULL CHECK (length(title_en) BETWEEN 1 AND 200),
    need_zh TEXT NOT NULL CHECK (length(need_zh) BETWEEN 1 AND 5000),
    need_en TEXT NOT NULL CHECK (length(need_en) BETWEEN 1 AND 5000),
    conclusion_zh TEXT CHECK (length(conclusion_zh) BETWEEN 1 AND 2000),
    conclusion_en TEXT CHECK (length(conclusion_en) BETWEEN 1 AND 2000),
    -- Who was consulted and which outsiders reviewed the need, as JSON: written and read as a whole, asked for by nobody in parts.
    consulted TEXT NOT NULL CHECK (length(consulted) BETWEEN 2 AND 262144),
    outsiders TEXT NOT NULL CHECK (length(outsiders) BETWEEN 2 AND 262144),
    concluded_on DATE,
    revision BIGINT NOT NULL CHECK (revision >= 1),
    drafted_by TEXT NOT NULL,
    drafted_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    concluded_by TEXT,
    concluded_at TIMESTAMP,
    CHECK ((conclusion_zh IS NULL) = (conclusion_en IS NULL)),
    CHECK ((state = 'concluded') = (concluded_at IS NOT NULL)),
    CHECK ((concluded_by IS NULL) = (concluded_at IS NULL)),
    CHECK ((concluded_on IS NULL) = (concluded_at IS NULL)),
    CHECK (state = 'draft' OR conclusion_zh IS NOT NULL),
    CHECK (concluded_by IS NULL OR concluded_by <> drafted_by)
);
CREATE INDEX consultations_organisations ON consultations (organisation_id, id);
CREATE TRIGGER consultations_kept BEFORE DELETE ON consultations
BEGIN SELECT RAISE(ABORT, 'consultations is append-only'); END;
CREATE TRIGGER consultations_fixed BEFORE UPDATE OF id, organisation_id, drafted_by, drafted_at ON consultations
BEGIN SELECT RAISE(ABORT, 'consultations is append-only'); END;
CREATE TRIGGER consultations_concluded BEFORE UPDATE ON consultations WHEN OLD.state = 'concluded'
BEGIN SELECT RAISE(ABORT, 'consultations is append-only'); END;
-- What somebody with an account said as a reviewer of the need.
CREATE TABLE consultation_reviews (
    consultation_id TEXT NOT NULL REFERENCES consultations (id),
    account_id TEXT NOT NULL,
    opinion_zh TEXT NOT NULL CHECK (length(opinion_zh) BETWEEN 1 AND 2000),
    opinion_en TEXT NOT NULL CHECK (length(opinion_en) BETWEEN 1 AND 2000),
    reviewed_at TIMESTAMP NOT NULL,
    PRIMARY KEY (consultation_id, account_id)
) WITHOUT ROWID;
CREATE TRIGGER consultation_reviews_kept BEFORE DELETE ON consultation_reviews
BEGIN SELECT RAISE(ABORT, 'consultation_reviews is append-only'); END;
CREATE TRIGGER consultation_reviews_fixed BEFORE UPDATE ON consultation_reviews
BEGIN SELECT RAISE(ABORT, 'consultation_reviews is append-only'); END;
