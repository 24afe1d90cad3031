-- What is public, as it is searched: each document once, and its words. Only an index of what stands elsewhere, written in the
-- transaction of whatever is published. A document that is no longer found keeps its row, so that no sequence is ever given twice.
CREATE TABLE search_documents (
    sequence BIGINT NOT NULL PRIMARY KEY CHECK (sequence >= 1),
    subject_id TEXT NOT NULL UNIQUE CHECK (length(subject_id) BETWEEN 1 AND 100),
    kind TEXT NOT NULL CHECK (length(kind) BETWEEN 1 AND 40),
    shown BOOLEAN NOT NULL,
    path TEXT NOT NULL CHECK (length(path) BETWEEN 1 AND 300),
    title_zh TEXT NOT NULL CHECK (length(title_zh) <= 500),
    title_en TEXT NOT NULL CHECK (length(title_en) <= 500),
    body_zh TEXT NOT NULL CHECK (length(body_zh) <= 20000),
    body_en TEXT NOT NULL CHECK (length(body_en) <= 20000),
    category TEXT NOT NULL CHECK (length(category) BETWEEN 1 AND 40),
    organisation_id TEXT REFERENCES organisations (id),
    value_fen BIGINT CHECK (value_fen BETWEEN 0 AND 9000000000000000),
    published_at TIMESTAMP NOT NULL
);
CREATE INDEX search_documents_published ON search_documents (published_at, sequence);

CREATE TABLE search_tokens (
    token TEXT NOT NULL CHECK (length(token) BETWEEN 1 AND 40),
    sequence BIGINT NOT NULL,
    weight BIGINT NOT NULL CHECK (weight >= 1),
    PRIMARY KEY (token, sequence)
) WITHOUT ROWID;
CREATE INDEX search_tokens_sequences ON search_tokens (sequence);

CREATE TABLE search_areas (
    sequence BIGINT NOT NULL,
    area_id TEXT NOT NULL REFERENCES areas (id),
    PRIMARY KEY (sequence, area_id)
) WITHOUT ROWID;

-- What people want to be told of. `seen` is the sequence of the last document that the search was asked about.
CREATE TABLE saved_searches (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL,
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    question TEXT NOT NULL CHECK (length(question) BETWEEN 2 AND 4000),
    seen BIGINT NOT NULL CHECK (seen >= 0),
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX saved_searches_accounts ON saved_searches (account_id, id);
CREATE INDEX saved_searches_seen ON saved_searches (seen, id);
