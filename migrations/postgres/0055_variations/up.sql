-- Variations of signed contracts, as the bytes that both parties sign.
CREATE TABLE contract_variations (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    contract_id TEXT COLLATE "C" NOT NULL REFERENCES contracts (id),
    number BIGINT NOT NULL CHECK (number BETWEEN 1 AND 100),
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('supplement', 'reduction', 'extension', 'renewal')),
    cause TEXT COLLATE "C" NOT NULL CHECK (cause IN ('quantity', 'area', 'standard', 'statutory_price_change', 'emergency', 'other')),
    words_zh TEXT COLLATE "C" NOT NULL CHECK (length(words_zh) BETWEEN 1 AND 2000),
    words_en TEXT COLLATE "C" NOT NULL CHECK (length(words_en) BETWEEN 1 AND 2000),
    amount_fen BIGINT NOT NULL,
    from_period BIGINT CHECK (from_period BETWEEN 1 AND 120),
    until_before DATE NOT NULL,
    until_day DATE,
    content TEXT COLLATE "C" NOT NULL CHECK (length(content) BETWEEN 2 AND 4194304),
    content_sha256 BYTEA NOT NULL CHECK (length(content_sha256) = 32),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('proposed', 'concluded', 'withdrawn', 'refused', 'ended')),
    proposed_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    proposed_at TIMESTAMP NOT NULL,
    closed_at TIMESTAMP,
    end_reason_zh TEXT COLLATE "C" CHECK (length(end_reason_zh) BETWEEN 1 AND 2000),
    end_reason_en TEXT COLLATE "C" CHECK (length(end_reason_en) BETWEEN 1 AND 2000),
    revision BIGINT NOT NULL CHECK (revision >= 1),
    UNIQUE (contract_id, number),
    CHECK ((state = 'proposed') = (closed_at IS NULL)),
    CHECK ((end_reason_zh IS NOT NULL) = (state IN ('withdrawn', 'refused', 'ended'))),
    CHECK ((end_reason_zh IS NULL) = (end_reason_en IS NULL)),
    CHECK ((kind IN ('extension', 'renewal')) = (until_day IS NOT NULL)),
    CHECK (until_day IS NULL OR until_day > until_before),
    CHECK (CASE kind WHEN 'reduction' THEN amount_fen < 0 WHEN 'extension' THEN amount_fen >= 0 ELSE amount_fen > 0 END)
);
CREATE UNIQUE INDEX contract_variations_pending ON contract_variations (contract_id) WHERE state = 'proposed';
CREATE TRIGGER contract_variations_kept
    BEFORE DELETE ON contract_variations
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER contract_variations_fixed
    BEFORE UPDATE OF id, contract_id, number, kind, cause, words_zh, words_en, amount_fen, from_period, until_before, until_day, content, content_sha256, proposed_by, proposed_at ON contract_variations
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER contract_variations_once
    BEFORE UPDATE ON contract_variations
    FOR EACH ROW WHEN (OLD.state <> 'proposed' OR NEW.state = 'proposed' OR NEW.revision <> OLD.revision + 1) EXECUTE FUNCTION refuse_change();

-- Who has signed a variation for which party.
CREATE TABLE contract_variation_signatures (
    variation_id TEXT COLLATE "C" NOT NULL REFERENCES contract_variations (id),
    party TEXT COLLATE "C" NOT NULL CHECK (party IN ('buyer', 'supplier')),
    account_id TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    content_sha256 BYTEA NOT NULL CHECK (length(content_sha256) = 32),
    signed_at TIMESTAMP NOT NULL,
    PRIMARY KEY (variation_id, party)
);
CREATE TRIGGER contract_variation_signatures_kept
    BEFORE DELETE ON contract_variation_signatures
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER contract_variation_signatures_fixed
    BEFORE UPDATE ON contract_variation_signatures
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- What a concluded variation adds to, or takes from, the price of each period. One that was added has its days here.
CREATE TABLE contract_variation_parts (
    variation_id TEXT COLLATE "C" NOT NULL REFERENCES contract_variations (id),
    period BIGINT NOT NULL CHECK (period BETWEEN 1 AND 120),
    amount_fen BIGINT NOT NULL,
    first_day DATE NOT NULL,
    last_day DATE NOT NULL,
    is_added BOOLEAN NOT NULL,
    PRIMARY KEY (variation_id, period),
    CHECK (first_day <= last_day)
);
CREATE TRIGGER contract_variation_parts_kept
    BEFORE DELETE ON contract_variation_parts
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER contract_variation_parts_fixed
    BEFORE UPDATE ON contract_variation_parts
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER contract_variations_not_emptied BEFORE TRUNCATE ON contract_variations EXECUTE FUNCTION refuse_change();
CREATE TRIGGER contract_variation_signatures_not_emptied BEFORE TRUNCATE ON contract_variation_signatures EXECUTE FUNCTION refuse_change();
CREATE TRIGGER contract_variation_parts_not_emptied BEFORE TRUNCATE ON contract_variation_parts EXECUTE FUNCTION refuse_change();
