-- The catalogue of service standards: categories, standards, and their versions. A version is a draft until it is published; from
-- then on only its withdrawal is added to it. `content` is hashed as it stands; the event of the publication has the hash.
CREATE TABLE service_categories (
    code TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (length(code) BETWEEN 1 AND 40),
    name_zh TEXT COLLATE "C" NOT NULL CHECK (length(name_zh) BETWEEN 1 AND 100),
    name_en TEXT COLLATE "C" NOT NULL CHECK (length(name_en) BETWEEN 1 AND 100),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('active', 'retired')),
    version BIGINT NOT NULL CHECK (version >= 1),
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
CREATE TRIGGER service_categories_kept
    BEFORE DELETE ON service_categories
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER service_categories_fixed
    BEFORE UPDATE OF code, created_at ON service_categories
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE standards (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    category TEXT COLLATE "C" NOT NULL REFERENCES service_categories (code),
    code TEXT COLLATE "C" NOT NULL UNIQUE CHECK (length(code) BETWEEN 1 AND 40),
    jurisdiction TEXT COLLATE "C" NOT NULL CHECK (length(jurisdiction) BETWEEN 2 AND 40),
    title_zh TEXT COLLATE "C" NOT NULL CHECK (length(title_zh) BETWEEN 1 AND 200),
    title_en TEXT COLLATE "C" NOT NULL CHECK (length(title_en) BETWEEN 1 AND 200),
    source_zh TEXT COLLATE "C" NOT NULL CHECK (length(source_zh) BETWEEN 1 AND 500),
    source_en TEXT COLLATE "C" NOT NULL CHECK (length(source_en) BETWEEN 1 AND 500),
    version BIGINT NOT NULL CHECK (version >= 1),
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
CREATE INDEX standards_categories ON standards (category, code);
CREATE TRIGGER standards_kept
    BEFORE DELETE ON standards
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER standards_fixed
    BEFORE UPDATE OF id, category, code, jurisdiction, created_at ON standards
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE standard_versions (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    standard_id TEXT COLLATE "C" NOT NULL REFERENCES standards (id),
    number BIGINT NOT NULL CHECK (number >= 1),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('draft', 'published', 'withdrawn')),
    built_in BOOLEAN NOT NULL,
    content TEXT COLLATE "C" NOT NULL CHECK (length(content) BETWEEN 2 AND 1048576),
    content_sha256 BYTEA NOT NULL CHECK (length(content_sha256) = 32),
    revision BIGINT NOT NULL CHECK (revision >= 1),
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    published_at TIMESTAMP,
    withdrawn_at TIMESTAMP,
    withdrawal_zh TEXT COLLATE "C" CHECK (length(withdrawal_zh) BETWEEN 1 AND 500),
    withdrawal_en TEXT COLLATE "C" CHECK (length(withdrawal_en) BETWEEN 1 AND 500),
    CHECK ((state = 'draft') = (published_at IS NULL)),
    CHECK ((state = 'withdrawn') = (withdrawn_at IS NOT NULL)),
    CHECK ((withdrawal_zh IS NULL) = (withdrawn_at IS NULL)),
    CHECK ((withdrawal_en IS NULL) = (withdrawn_at IS NULL))
);
CREATE UNIQUE INDEX standard_versions_numbers ON standard_versions (standard_id, number);
CREATE UNIQUE INDEX standard_versions_drafts ON standard_versions (standard_id) WHERE state = 'draft';
CREATE TRIGGER standard_versions_kept
    BEFORE DELETE ON standard_versions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER standard_versions_fixed
    BEFORE UPDATE OF id, standard_id, number, built_in, created_at ON standard_versions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER standard_versions_content_fixed
    BEFORE UPDATE OF content, content_sha256, published_at ON standard_versions
    FOR EACH ROW WHEN (OLD.state <> 'draft') EXECUTE FUNCTION refuse_change();
CREATE TRIGGER standard_versions_forward
    BEFORE UPDATE ON standard_versions
    FOR EACH ROW WHEN (OLD.state = 'withdrawn' OR (OLD.state = 'published' AND NEW.state <> 'withdrawn') OR (OLD.state = 'draft' AND NEW.state = 'withdrawn')) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER service_categories_not_emptied BEFORE TRUNCATE ON service_categories EXECUTE FUNCTION refuse_change();
CREATE TRIGGER standards_not_emptied BEFORE TRUNCATE ON standards EXECUTE FUNCTION refuse_change();
CREATE TRIGGER standard_versions_not_emptied BEFORE TRUNCATE ON standard_versions EXECUTE FUNCTION refuse_change();
