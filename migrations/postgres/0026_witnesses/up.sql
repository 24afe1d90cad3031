-- Who witnesses openings, and what they hold. A witness's recipients, each replaced by the next; the last one counts.
CREATE TABLE witness_keys (
    account_id TEXT COLLATE "C" NOT NULL CHECK (length(account_id) BETWEEN 1 AND 100),
    number BIGINT NOT NULL CHECK (number BETWEEN 1 AND 1000),
    recipient TEXT COLLATE "C" NOT NULL UNIQUE CHECK (length(recipient) BETWEEN 10 AND 100),
    registered_at TIMESTAMP NOT NULL,
    PRIMARY KEY (account_id, number)
);

-- Keys of books that nobody has any more, and files to them of which everybody knows what they say.
CREATE TABLE shared_keys (
    book_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES books (id),
    recipient TEXT COLLATE "C" NOT NULL UNIQUE CHECK (length(recipient) BETWEEN 10 AND 100),
    threshold BIGINT NOT NULL CHECK (threshold BETWEEN 2 AND 9),
    canary BYTEA NOT NULL CHECK (length(canary) BETWEEN 1 AND 8192),
    made_at TIMESTAMP NOT NULL
);

-- The shares of those keys, each sealed to its witness. What is published of a share, and of the word beside it, are hashes.
CREATE TABLE key_shares (
    book_id TEXT COLLATE "C" NOT NULL REFERENCES shared_keys (book_id),
    number BIGINT NOT NULL CHECK (number BETWEEN 1 AND 9),
    account_id TEXT COLLATE "C" NOT NULL CHECK (length(account_id) BETWEEN 1 AND 100),
    witness_key BIGINT NOT NULL,
    commitment BYTEA NOT NULL CHECK (length(commitment) = 32),
    word_sha256 BYTEA NOT NULL CHECK (length(word_sha256) = 32),
    sealed BYTEA NOT NULL CHECK (length(sealed) BETWEEN 1 AND 8192),
    PRIMARY KEY (book_id, number),
    UNIQUE (book_id, account_id),
    FOREIGN KEY (account_id, witness_key) REFERENCES witness_keys (account_id, number)
);

-- That a witness has shown before the opening that their share can be opened.
CREATE TABLE share_rehearsals (
    book_id TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    rehearsed_at TIMESTAMP NOT NULL,
    PRIMARY KEY (book_id, number),
    FOREIGN KEY (book_id, number) REFERENCES key_shares (book_id, number)
);

-- Shares that were handed in for the opening, encrypted under a key of the key directory. Once the bids are open only the fact is left.
CREATE TABLE given_shares (
    book_id TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    sealed BYTEA CHECK (length(sealed) BETWEEN 1 AND 1000),
    given_at TIMESTAMP NOT NULL,
    PRIMARY KEY (book_id, number),
    FOREIGN KEY (book_id, number) REFERENCES key_shares (book_id, number)
);
CREATE TRIGGER witness_keys_kept
    BEFORE DELETE ON witness_keys
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER witness_keys_fixed
    BEFORE UPDATE ON witness_keys
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER shared_keys_kept
    BEFORE DELETE ON shared_keys
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER shared_keys_fixed
    BEFORE UPDATE ON shared_keys
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER key_shares_kept
    BEFORE DELETE ON key_shares
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER key_shares_fixed
    BEFORE UPDATE ON key_shares
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER share_rehearsals_kept
    BEFORE DELETE ON share_rehearsals
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER share_rehearsals_fixed
    BEFORE UPDATE ON share_rehearsals
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER given_shares_kept
    BEFORE DELETE ON given_shares
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER given_shares_fixed
    BEFORE UPDATE ON given_shares
    FOR EACH ROW WHEN (NEW.sealed IS NOT NULL OR NEW.book_id <> OLD.book_id OR NEW.number <> OLD.number OR NEW.given_at <> OLD.given_at) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER witness_keys_not_emptied BEFORE TRUNCATE ON witness_keys EXECUTE FUNCTION refuse_change();
CREATE TRIGGER shared_keys_not_emptied BEFORE TRUNCATE ON shared_keys EXECUTE FUNCTION refuse_change();
CREATE TRIGGER key_shares_not_emptied BEFORE TRUNCATE ON key_shares EXECUTE FUNCTION refuse_change();
CREATE TRIGGER share_rehearsals_not_emptied BEFORE TRUNCATE ON share_rehearsals EXECUTE FUNCTION refuse_change();
CREATE TRIGGER given_shares_not_emptied BEFORE TRUNCATE ON given_shares EXECUTE FUNCTION refuse_change();
