-- Rounds of scoring a lot's bids after the first, each on a ground of 87号令 art 64, or because the regulator has ordered it.
CREATE TABLE score_rounds (
    lot_id TEXT COLLATE "C" NOT NULL REFERENCES openings (lot_id),
    round BIGINT NOT NULL CHECK (round BETWEEN 2 AND 20),
    ground TEXT COLLATE "C" NOT NULL CHECK (ground IN ('miscalculated', 'out_of_range', 'objective_scores_differ', 'abnormal_scores', 'ordered_anew')),
    reason_zh TEXT COLLATE "C" NOT NULL CHECK (length(reason_zh) BETWEEN 1 AND 2000),
    reason_en TEXT COLLATE "C" NOT NULL CHECK (length(reason_en) BETWEEN 1 AND 2000),
    opened_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    opened_at TIMESTAMP NOT NULL,
    PRIMARY KEY (lot_id, round)
);

-- What each member of a panel gives each bid, a sheet for each round. `content` is JSON. What was handed in does not change.
CREATE TABLE score_sheets (
    lot_id TEXT COLLATE "C" NOT NULL REFERENCES openings (lot_id),
    round BIGINT NOT NULL CHECK (round BETWEEN 1 AND 20),
    account_id TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    version BIGINT NOT NULL CHECK (version BETWEEN 1 AND 1000000),
    content TEXT COLLATE "C" NOT NULL CHECK (length(content) BETWEEN 2 AND 4194304),
    saved_at TIMESTAMP NOT NULL,
    handed_in_at TIMESTAMP,
    PRIMARY KEY (lot_id, round, account_id)
);

-- What a member of the panel holds against the result.
CREATE TABLE evaluation_dissents (
    evaluation_id TEXT COLLATE "C" NOT NULL REFERENCES evaluations (id),
    account_id TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    reason TEXT COLLATE "C" NOT NULL CHECK (length(reason) BETWEEN 1 AND 2000),
    noted_at TIMESTAMP NOT NULL,
    PRIMARY KEY (evaluation_id, account_id)
);

-- Rounds of which everybody may see how bids were judged.
CREATE TABLE evaluation_disclosures (
    evaluation_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES evaluations (id),
    disclosed_at TIMESTAMP NOT NULL
);
CREATE TRIGGER score_rounds_kept
    BEFORE DELETE ON score_rounds
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER score_rounds_fixed
    BEFORE UPDATE ON score_rounds
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER score_sheets_kept
    BEFORE DELETE ON score_sheets
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER score_sheets_done
    BEFORE UPDATE ON score_sheets
    FOR EACH ROW WHEN (OLD.handed_in_at IS NOT NULL) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER score_sheets_fixed
    BEFORE UPDATE OF lot_id, round, account_id ON score_sheets
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER evaluation_dissents_kept
    BEFORE DELETE ON evaluation_dissents
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER evaluation_dissents_fixed
    BEFORE UPDATE ON evaluation_dissents
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER evaluation_disclosures_kept
    BEFORE DELETE ON evaluation_disclosures
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER evaluation_disclosures_fixed
    BEFORE UPDATE ON evaluation_disclosures
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER score_rounds_not_emptied BEFORE TRUNCATE ON score_rounds EXECUTE FUNCTION refuse_change();
CREATE TRIGGER score_sheets_not_emptied BEFORE TRUNCATE ON score_sheets EXECUTE FUNCTION refuse_change();
CREATE TRIGGER evaluation_dissents_not_emptied BEFORE TRUNCATE ON evaluation_dissents EXECUTE FUNCTION refuse_change();
CREATE TRIGGER evaluation_disclosures_not_emptied BEFORE TRUNCATE ON evaluation_disclosures EXECUTE FUNCTION refuse_change();
