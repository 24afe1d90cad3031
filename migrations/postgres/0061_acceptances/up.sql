-- Rounds of the acceptance of a period (验收): what was handed over, until when it is inspected, the certificate that was signed, and what the contractor holds against it.
CREATE TABLE contract_acceptances (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    contract_id TEXT COLLATE "C" NOT NULL REFERENCES contracts (id),
    period BIGINT NOT NULL CHECK (period BETWEEN 1 AND 120),
    round BIGINT NOT NULL CHECK (round BETWEEN 1 AND 50),
    beginning TEXT COLLATE "C" NOT NULL CHECK (beginning IN ('hand_over', 'buyer', 'objection')),
    begun_at TIMESTAMP NOT NULL,
    first_day DATE NOT NULL,
    last_day DATE NOT NULL,
    hand_over TEXT COLLATE "C" CHECK (length(hand_over) BETWEEN 1 AND 2000),
    handed_over_by TEXT COLLATE "C" REFERENCES accounts (id),
    handed_over_at TIMESTAMP,
    inspect_until DATE,
    silent_at TIMESTAMP,
    drafts BIGINT NOT NULL CHECK (drafts BETWEEN 0 AND 20),
    conclusion TEXT COLLATE "C" CHECK (conclusion IN ('accepted', 'accepted_with_reservations', 'refused')),
    undisputed BIGINT CHECK (undisputed BETWEEN 0 AND 1000000),
    score TEXT COLLATE "C" CHECK (length(score) BETWEEN 1 AND 12),
    grade TEXT COLLATE "C" CHECK (length(grade) BETWEEN 1 AND 60),
    content_sha256 BYTEA CHECK (length(content_sha256) = 32),
    signed_by TEXT COLLATE "C" REFERENCES accounts (id),
    signed_at TIMESTAMP,
    object_until DATE,
    objection TEXT COLLATE "C" CHECK (length(objection) BETWEEN 1 AND 2000),
    objected_by TEXT COLLATE "C" REFERENCES accounts (id),
    objected_at TIMESTAMP,
    is_upheld BOOLEAN,
    decision_zh TEXT COLLATE "C" CHECK (length(decision_zh) BETWEEN 1 AND 2000),
    decision_en TEXT COLLATE "C" CHECK (length(decision_en) BETWEEN 1 AND 2000),
    decided_by TEXT COLLATE "C" REFERENCES accounts (id),
    decided_at TIMESTAMP,
    silence_noted_at TIMESTAMP,
    revision BIGINT NOT NULL CHECK (revision >= 1),
    UNIQUE (contract_id, period, round),
    CHECK (first_day <= last_day),
    CHECK ((hand_over IS NULL) = (handed_over_at IS NULL)),
    CHECK ((handed_over_by IS NULL) = (handed_over_at IS NULL)),
    CHECK (handed_over_at IS NULL OR inspect_until IS NOT NULL),
    CHECK (silent_at IS NULL OR inspect_until IS NOT NULL),
    CHECK ((conclusion IS NULL) = (signed_at IS NULL)),
    CHECK ((undisputed IS NULL) = (signed_at IS NULL)),
    CHECK ((content_sha256 IS NULL) = (signed_at IS NULL)),
    CHECK ((signed_by IS NULL) = (signed_at IS NULL)),
    CHECK ((object_until IS NULL) = (signed_at IS NULL)),
    CHECK (signed_at IS NULL OR drafts > 0),
    CHECK (signed_at IS NULL OR silent_at IS NULL OR signed_at < silent_at),
    CHECK (score IS NULL OR signed_at IS NOT NULL),
    CHECK (grade IS NULL OR score IS NOT NULL),
    CHECK ((objection IS NULL) = (objected_at IS NULL)),
    CHECK ((objected_by IS NULL) = (objected_at IS NULL)),
    CHECK (objected_at IS NULL OR signed_at IS NOT NULL),
    CHECK ((is_upheld IS NULL) = (decided_at IS NULL)),
    CHECK ((decision_zh IS NULL) = (decided_at IS NULL)),
    CHECK ((decision_en IS NULL) = (decided_at IS NULL)),
    CHECK ((decided_by IS NULL) = (decided_at IS NULL)),
    CHECK (decided_at IS NULL OR objected_at IS NOT NULL),
    CHECK (silence_noted_at IS NULL OR (silent_at IS NOT NULL AND signed_at IS NULL AND silence_noted_at >= silent_at))
);
CREATE INDEX contract_acceptances_silent ON contract_acceptances (silent_at, id) WHERE signed_at IS NULL AND silence_noted_at IS NULL;
CREATE TRIGGER contract_acceptances_kept
    BEFORE DELETE ON contract_acceptances
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER contract_acceptances_fixed
    BEFORE UPDATE OF id, contract_id, period, round, beginning, begun_at, first_day, last_day ON contract_acceptances
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER contract_acceptances_forward
    BEFORE UPDATE ON contract_acceptances
    FOR EACH ROW WHEN (OLD.decided_at IS NOT NULL OR OLD.silence_noted_at IS NOT NULL OR NEW.revision <> OLD.revision + 1
        OR (OLD.handed_over_at IS NOT NULL AND (NEW.hand_over IS DISTINCT FROM OLD.hand_over OR NEW.handed_over_by IS DISTINCT FROM OLD.handed_over_by OR NEW.handed_over_at IS DISTINCT FROM OLD.handed_over_at))
        OR (OLD.inspect_until IS NOT NULL AND (NEW.inspect_until IS DISTINCT FROM OLD.inspect_until OR NEW.silent_at IS DISTINCT FROM OLD.silent_at))
        OR (OLD.signed_at IS NOT NULL AND (NEW.drafts IS DISTINCT FROM OLD.drafts OR NEW.conclusion IS DISTINCT FROM OLD.conclusion OR NEW.undisputed IS DISTINCT FROM OLD.undisputed OR NEW.score IS DISTINCT FROM OLD.score OR NEW.grade IS DISTINCT FROM OLD.grade OR NEW.content_sha256 IS DISTINCT FROM OLD.content_sha256 OR NEW.signed_by IS DISTINCT FROM OLD.signed_by OR NEW.signed_at IS DISTINCT FROM OLD.signed_at OR NEW.object_until IS DISTINCT FROM OLD.object_until))
        OR (OLD.objected_at IS NOT NULL AND (NEW.objection IS DISTINCT FROM OLD.objection OR NEW.objected_by IS DISTINCT FROM OLD.objected_by OR NEW.objected_at IS DISTINCT FROM OLD.objected_at))) EXECUTE FUNCTION refuse_change();

-- Certificates as they were drafted, each as the bytes that are signed; the last one of a round is, if any.
CREATE TABLE acceptance_drafts (
    acceptance_id TEXT COLLATE "C" NOT NULL REFERENCES contract_acceptances (id),
    number BIGINT NOT NULL CHECK (number BETWEEN 1 AND 20),
    content TEXT COLLATE "C" NOT NULL CHECK (length(content) BETWEEN 2 AND 4194304),
    content_sha256 BYTEA NOT NULL CHECK (length(content_sha256) = 32),
    drafted_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    drafted_at TIMESTAMP NOT NULL,
    PRIMARY KEY (acceptance_id, number)
);
CREATE TRIGGER acceptance_drafts_kept
    BEFORE DELETE ON acceptance_drafts
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER acceptance_drafts_fixed
    BEFORE UPDATE ON acceptance_drafts
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Who was invited of those whom the service is for. Their names are in no certificate.
CREATE TABLE acceptance_served_people (
    acceptance_id TEXT COLLATE "C" NOT NULL,
    draft BIGINT NOT NULL,
    number BIGINT NOT NULL CHECK (number BETWEEN 1 AND 100),
    name TEXT COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    took_part BOOLEAN NOT NULL,
    words TEXT COLLATE "C" CHECK (length(words) BETWEEN 1 AND 500),
    PRIMARY KEY (acceptance_id, draft, number),
    FOREIGN KEY (acceptance_id, draft) REFERENCES acceptance_drafts (acceptance_id, number),
    CHECK (words IS NULL OR took_part)
);
CREATE TRIGGER acceptance_served_people_kept
    BEFORE DELETE ON acceptance_served_people
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER acceptance_served_people_fixed
    BEFORE UPDATE ON acceptance_served_people
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER contract_acceptances_not_emptied BEFORE TRUNCATE ON contract_acceptances EXECUTE FUNCTION refuse_change();
CREATE TRIGGER acceptance_drafts_not_emptied BEFORE TRUNCATE ON acceptance_drafts EXECUTE FUNCTION refuse_change();
CREATE TRIGGER acceptance_served_people_not_emptied BEFORE TRUNCATE ON acceptance_served_people EXECUTE FUNCTION refuse_change();
