-- Contract books. A book is written over while it is a draft; what was published is a version of its own that never changes, hashed as
-- it stands; the event of its publication has the hash. What of a book stands in columns of its own is what lists ask for.
CREATE TABLE books (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    organisation_id TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('draft', 'submitted', 'approved', 'published', 'cancelled')),
    category TEXT COLLATE "C" NOT NULL REFERENCES service_categories (code),
    title_zh TEXT COLLATE "C" NOT NULL CHECK (length(title_zh) BETWEEN 1 AND 200),
    title_en TEXT COLLATE "C" NOT NULL CHECK (length(title_en) BETWEEN 1 AND 200),
    bid_deadline TIMESTAMP,
    content TEXT COLLATE "C" NOT NULL CHECK (length(content) BETWEEN 2 AND 1048576),
    content_sha256 BYTEA NOT NULL CHECK (length(content_sha256) = 32),
    revision BIGINT NOT NULL CHECK (revision >= 1),
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    sent_back TEXT COLLATE "C" CHECK (length(sent_back) BETWEEN 1 AND 2000),
    published_at TIMESTAMP,
    statute_id TEXT COLLATE "C" REFERENCES statutes (id),
    recipient TEXT COLLATE "C" CHECK (length(recipient) BETWEEN 10 AND 100),
    versions BIGINT CHECK (versions BETWEEN 1 AND 100),
    cancelled_at TIMESTAMP,
    cancellation_zh TEXT COLLATE "C" CHECK (length(cancellation_zh) BETWEEN 1 AND 2000),
    cancellation_en TEXT COLLATE "C" CHECK (length(cancellation_en) BETWEEN 1 AND 2000),
    CHECK ((state IN ('draft', 'submitted', 'approved')) = (published_at IS NULL)),
    CHECK ((statute_id IS NULL) = (published_at IS NULL)),
    CHECK ((recipient IS NULL) = (published_at IS NULL)),
    CHECK ((versions IS NULL) = (published_at IS NULL)),
    CHECK (published_at IS NULL OR bid_deadline IS NOT NULL),
    CHECK ((state = 'cancelled') = (cancelled_at IS NOT NULL)),
    CHECK ((cancellation_zh IS NULL) = (cancelled_at IS NULL)),
    CHECK ((cancellation_en IS NULL) = (cancelled_at IS NULL))
);
CREATE INDEX books_of ON books (organisation_id, id);
CREATE INDEX books_public ON books (published_at, id);
CREATE TRIGGER books_kept
    BEFORE DELETE ON books
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER books_fixed
    BEFORE UPDATE OF id, organisation_id, created_at ON books
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER books_published
    BEFORE UPDATE OF published_at, statute_id, recipient, category, content, content_sha256, title_zh, title_en, bid_deadline ON books
    FOR EACH ROW WHEN (OLD.published_at IS NOT NULL AND NEW.versions = OLD.versions) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER books_forward
    BEFORE UPDATE ON books
    FOR EACH ROW WHEN (OLD.state = 'cancelled' OR (OLD.state = 'published' AND NEW.state NOT IN ('published', 'cancelled')) OR (OLD.state <> 'approved' AND OLD.published_at IS NULL AND NEW.state = 'published') OR (OLD.versions IS NOT NULL AND NEW.versions NOT IN (OLD.versions, OLD.versions + 1)) OR (OLD.published_at IS NOT NULL AND (NEW.published_at <> OLD.published_at OR NEW.recipient <> OLD.recipient OR NEW.statute_id <> OLD.statute_id))) EXECUTE FUNCTION refuse_change();

-- Everything that was ever published of a book: the first version at its publication, another with each addendum.
CREATE TABLE book_versions (
    book_id TEXT COLLATE "C" NOT NULL REFERENCES books (id),
    number BIGINT NOT NULL CHECK (number BETWEEN 1 AND 100),
    content TEXT COLLATE "C" NOT NULL CHECK (length(content) BETWEEN 2 AND 1048576),
    content_sha256 BYTEA NOT NULL CHECK (length(content_sha256) = 32),
    reason_zh TEXT COLLATE "C" CHECK (length(reason_zh) BETWEEN 1 AND 2000),
    reason_en TEXT COLLATE "C" CHECK (length(reason_en) BETWEEN 1 AND 2000),
    affects_bids BOOLEAN NOT NULL,
    published_at TIMESTAMP NOT NULL,
    PRIMARY KEY (book_id, number),
    CHECK ((number = 1) = (reason_zh IS NULL)),
    CHECK ((reason_zh IS NULL) = (reason_en IS NULL))
);
CREATE TRIGGER book_versions_kept
    BEFORE DELETE ON book_versions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER book_versions_fixed
    BEFORE UPDATE ON book_versions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- The areas that a published book serves, for lists that ask by area.
CREATE TABLE book_areas (
    book_id TEXT COLLATE "C" NOT NULL REFERENCES books (id),
    area_id TEXT COLLATE "C" NOT NULL REFERENCES areas (id),
    PRIMARY KEY (book_id, area_id)
);
CREATE INDEX book_areas_of ON book_areas (area_id, book_id);
CREATE TRIGGER book_areas_fixed
    BEFORE UPDATE ON book_areas
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- The lots of a published book: what bids and holds of money name. The rest of a lot stands in the book.
CREATE TABLE lots (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    book_id TEXT COLLATE "C" NOT NULL REFERENCES books (id),
    code TEXT COLLATE "C" NOT NULL CHECK (length(code) BETWEEN 1 AND 20),
    budget_line_id TEXT COLLATE "C" NOT NULL REFERENCES budget_lines (id)
);
CREATE UNIQUE INDEX lots_codes ON lots (book_id, code);
CREATE TRIGGER lots_kept
    BEFORE DELETE ON lots
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER lots_fixed
    BEFORE UPDATE ON lots
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- The identities that open bids, encrypted under a key of the key directory.
CREATE TABLE opening_keys (
    book_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES books (id),
    recipient TEXT COLLATE "C" NOT NULL UNIQUE CHECK (length(recipient) BETWEEN 10 AND 100),
    sealed BYTEA NOT NULL CHECK (length(sealed) BETWEEN 1 AND 1000),
    made_at TIMESTAMP NOT NULL
);
CREATE TRIGGER opening_keys_kept
    BEFORE DELETE ON opening_keys
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER opening_keys_fixed
    BEFORE UPDATE ON opening_keys
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER books_not_emptied BEFORE TRUNCATE ON books EXECUTE FUNCTION refuse_change();
CREATE TRIGGER book_versions_not_emptied BEFORE TRUNCATE ON book_versions EXECUTE FUNCTION refuse_change();
CREATE TRIGGER book_areas_not_emptied BEFORE TRUNCATE ON book_areas EXECUTE FUNCTION refuse_change();
CREATE TRIGGER lots_not_emptied BEFORE TRUNCATE ON lots EXECUTE FUNCTION refuse_change();
CREATE TRIGGER opening_keys_not_emptied BEFORE TRUNCATE ON opening_keys EXECUTE FUNCTION refuse_change();
