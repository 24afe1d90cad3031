-- What residents are asked: about the work of a period, say.
CREATE TABLE ballots (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('appraisal', 'rating')),
    matter_id TEXT COLLATE "C" NOT NULL CHECK (length(matter_id) BETWEEN 1 AND 60),
    matter_number BIGINT NOT NULL CHECK (matter_number >= 1),
    organisation_id TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    title_zh TEXT COLLATE "C" NOT NULL CHECK (length(title_zh) BETWEEN 1 AND 300),
    title_en TEXT COLLATE "C" NOT NULL CHECK (length(title_en) BETWEEN 1 AND 300),
    terms TEXT COLLATE "C" NOT NULL CHECK (length(terms) BETWEEN 2 AND 65536),
    opens_at TIMESTAMP NOT NULL,
    closes_at TIMESTAMP NOT NULL,
    electorate BIGINT NOT NULL CHECK (electorate BETWEEN 10 AND 100000),
    roll_sha256 BYTEA NOT NULL CHECK (length(roll_sha256) = 32),
    sealed_key BYTEA CHECK (length(sealed_key) BETWEEN 32 AND 200),
    called_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    called_at TIMESTAMP NOT NULL,
    withdrawn_at TIMESTAMP,
    counted_at TIMESTAMP,
    result TEXT COLLATE "C" CHECK (length(result) BETWEEN 2 AND 1000000),
    result_sha256 BYTEA CHECK (length(result_sha256) = 32),
    CHECK (opens_at < closes_at),
    CHECK (called_at <= opens_at),
    CHECK (withdrawn_at IS NULL OR withdrawn_at < opens_at),
    CHECK (counted_at IS NULL OR counted_at >= closes_at),
    CHECK (counted_at IS NULL OR withdrawn_at IS NULL),
    CHECK ((sealed_key IS NULL) = (counted_at IS NOT NULL OR withdrawn_at IS NOT NULL)),
    CHECK ((counted_at IS NULL) = (result IS NULL)),
    CHECK ((result IS NULL) = (result_sha256 IS NULL))
);
CREATE UNIQUE INDEX ballots_of_matter ON ballots (kind, matter_id, matter_number) WHERE withdrawn_at IS NULL;
CREATE INDEX ballots_running ON ballots (closes_at) WHERE sealed_key IS NOT NULL;

-- Who may vote: the roll as it was when the ballot was called. That somebody has voted is known, and when is not.
CREATE TABLE ballot_voters (
    ballot_id TEXT COLLATE "C" NOT NULL REFERENCES ballots (id),
    number BIGINT NOT NULL CHECK (number BETWEEN 1 AND 100000),
    resident_id TEXT COLLATE "C" NOT NULL REFERENCES residents (id),
    community_id TEXT COLLATE "C" NOT NULL REFERENCES areas (id),
    has_voted BOOLEAN NOT NULL,
    PRIMARY KEY (ballot_id, number),
    UNIQUE (ballot_id, resident_id)
);
CREATE INDEX ballot_voters_are ON ballot_voters (resident_id);

-- What was voted, until the ballot is counted: sealed under its key, under a tag that only that key connects with a voter.
CREATE TABLE ballot_papers (
    ballot_id TEXT COLLATE "C" NOT NULL REFERENCES ballots (id),
    tag BYTEA NOT NULL CHECK (length(tag) = 32),
    sealed BYTEA NOT NULL CHECK (length(sealed) BETWEEN 40 AND 2000),
    PRIMARY KEY (ballot_id, tag)
);

-- The box of a counted ballot: a slip for each question and voter, and nothing by which two slips belong together.
CREATE TABLE ballot_slips (
    ballot_id TEXT COLLATE "C" NOT NULL REFERENCES ballots (id),
    hash BYTEA NOT NULL CHECK (length(hash) = 32),
    question TEXT COLLATE "C" NOT NULL CHECK (length(question) BETWEEN 1 AND 20),
    choice TEXT COLLATE "C" NOT NULL CHECK (length(choice) BETWEEN 1 AND 20),
    salt BYTEA NOT NULL CHECK (length(salt) = 32),
    community_id TEXT COLLATE "C" REFERENCES areas (id),
    PRIMARY KEY (ballot_id, hash)
);

-- Letters by which one votes without an account. Their codes are kept as hashes.
CREATE TABLE ballot_letters (
    ballot_id TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    link_hash BYTEA NOT NULL UNIQUE CHECK (length(link_hash) = 32),
    code_hash BYTEA NOT NULL UNIQUE CHECK (length(code_hash) = 32),
    PRIMARY KEY (ballot_id, number),
    FOREIGN KEY (ballot_id, number) REFERENCES ballot_voters (ballot_id, number)
);

-- How far voters were written to.
CREATE TABLE ballot_mailings (
    ballot_id TEXT COLLATE "C" NOT NULL REFERENCES ballots (id),
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('opening', 'reminder')),
    through BIGINT NOT NULL CHECK (through >= 0),
    PRIMARY KEY (ballot_id, kind)
);

-- Who represents the residents of a community, and who is kin or staff of an organisation and has no vote on its work.
CREATE TABLE voter_listings (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    area_id TEXT COLLATE "C" NOT NULL REFERENCES areas (id),
    resident_id TEXT COLLATE "C" NOT NULL REFERENCES residents (id),
    organisation_id TEXT COLLATE "C" REFERENCES organisations (id),
    listed_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id)
);
CREATE UNIQUE INDEX voter_listings_tied ON voter_listings (resident_id, organisation_id) WHERE organisation_id IS NOT NULL;
CREATE UNIQUE INDEX voter_listings_representing ON voter_listings (resident_id) WHERE organisation_id IS NULL;
CREATE INDEX voter_listings_in ON voter_listings (area_id, id);

CREATE TRIGGER ballots_kept
    BEFORE DELETE ON ballots
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ballots_fixed
    BEFORE UPDATE OF id, kind, matter_id, matter_number, organisation_id, title_zh, title_en, terms, opens_at, closes_at, electorate, roll_sha256, called_by, called_at ON ballots
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ballots_forward
    BEFORE UPDATE ON ballots
    FOR EACH ROW WHEN (OLD.sealed_key IS NULL OR NEW.sealed_key IS NOT NULL) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ballot_voters_kept
    BEFORE DELETE ON ballot_voters
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ballot_voters_fixed
    BEFORE UPDATE OF ballot_id, number, resident_id, community_id ON ballot_voters
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ballot_voters_forward
    BEFORE UPDATE ON ballot_voters
    FOR EACH ROW WHEN (OLD.has_voted) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ballot_slips_kept
    BEFORE DELETE ON ballot_slips
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ballot_slips_fixed
    BEFORE UPDATE ON ballot_slips
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ballots_not_emptied BEFORE TRUNCATE ON ballots EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ballot_voters_not_emptied BEFORE TRUNCATE ON ballot_voters EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ballot_slips_not_emptied BEFORE TRUNCATE ON ballot_slips EXECUTE FUNCTION refuse_change();
-- After the count nothing is put into the box, nor handed in.
CREATE FUNCTION refuse_after_count() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT sealed_key FROM ballots WHERE id = NEW.ballot_id) IS NULL THEN
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ballot_papers_in_time
    BEFORE INSERT ON ballot_papers
    FOR EACH ROW EXECUTE FUNCTION refuse_after_count();
CREATE TRIGGER ballot_slips_in_time
    BEFORE INSERT ON ballot_slips
    FOR EACH ROW EXECUTE FUNCTION refuse_after_count();
-- Whoever is erased from the roll is listed nowhere.
CREATE FUNCTION forget_voter_listings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM voter_listings WHERE resident_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER voter_listings_erased
    AFTER UPDATE OF state ON residents
    FOR EACH ROW WHEN (NEW.state = 'erased') EXECUTE FUNCTION forget_voter_listings();
