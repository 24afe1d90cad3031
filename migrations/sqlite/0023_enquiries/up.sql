-- What suppliers ask about a published book. Who asked is in no event and in no answer but the asker's own; the log commits to it with a salt
-- that stands here. Answers are numbered in the order in which they are given, so that a number tells nothing of who asked, or when.
CREATE TABLE enquiries (
    id TEXT NOT NULL PRIMARY KEY,
    book_id TEXT NOT NULL REFERENCES books (id),
    asker_organisation_id TEXT NOT NULL REFERENCES organisations (id),
    asker_account_id TEXT NOT NULL CHECK (length(asker_account_id) BETWEEN 1 AND 100),
    asker_salt BLOB NOT NULL CHECK (length(asker_salt) = 32),
    question TEXT NOT NULL CHECK (length(question) BETWEEN 1 AND 2000),
    asked_at TIMESTAMP NOT NULL,
    withdrawn_at TIMESTAMP,
    number BIGINT CHECK (number >= 1),
    question_zh TEXT CHECK (length(question_zh) BETWEEN 1 AND 2000),
    question_en TEXT CHECK (length(question_en) BETWEEN 1 AND 2000),
    answer_zh TEXT CHECK (length(answer_zh) BETWEEN 1 AND 2000),
    answer_en TEXT CHECK (length(answer_en) BETWEEN 1 AND 2000),
    addendum BIGINT CHECK (addendum BETWEEN 1 AND 99),
    answered_at TIMESTAMP,
    CHECK (withdrawn_at IS NULL OR answered_at IS NULL),
    CHECK ((number IS NULL) = (answered_at IS NULL)),
    CHECK ((question_zh IS NULL) = (answered_at IS NULL)),
    CHECK ((question_en IS NULL) = (answered_at IS NULL)),
    CHECK ((answer_zh IS NULL) = (answered_at IS NULL)),
    CHECK ((answer_en IS NULL) = (answered_at IS NULL)),
    CHECK (addendum IS NULL OR answered_at IS NOT NULL)
);
CREATE UNIQUE INDEX enquiries_answers ON enquiries (book_id, number);
CREATE INDEX enquiries_open ON enquiries (book_id, id) WHERE answered_at IS NULL AND withdrawn_at IS NULL;
CREATE INDEX enquiries_own ON enquiries (asker_organisation_id, book_id, id);
CREATE TRIGGER enquiries_kept BEFORE DELETE ON enquiries
BEGIN SELECT RAISE(ABORT, 'enquiries is append-only'); END;
CREATE TRIGGER enquiries_fixed BEFORE UPDATE OF id, book_id, asker_organisation_id, asker_account_id, asker_salt, question, asked_at ON enquiries
BEGIN SELECT RAISE(ABORT, 'enquiries is append-only'); END;
CREATE TRIGGER enquiries_ended BEFORE UPDATE ON enquiries
    WHEN OLD.answered_at IS NOT NULL OR OLD.withdrawn_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'enquiries is append-only'); END;
