-- What becomes of money that is still held when its fiscal year is over (年终结转): carried over into a line of the next year, or given back to the treasury. One person proposes it,
-- another decides.
CREATE TABLE year_ends (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    fund_id TEXT COLLATE "C" NOT NULL REFERENCES funds (id),
    fiscal_year BIGINT NOT NULL CHECK (fiscal_year BETWEEN 2000 AND 2199),
    hold_id TEXT COLLATE "C" NOT NULL REFERENCES ledger_holds (id),
    line_id TEXT COLLATE "C" NOT NULL REFERENCES budget_lines (id),
    matter TEXT COLLATE "C" NOT NULL CHECK (length(matter) BETWEEN 1 AND 100),
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('carry_over', 'return')),
    to_line_id TEXT COLLATE "C" REFERENCES budget_lines (id),
    amount_fen BIGINT NOT NULL CHECK (amount_fen BETWEEN 1 AND 9000000000000000),
    reason TEXT COLLATE "C" NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('proposed', 'confirmed', 'refused', 'withdrawn')),
    proposed_by TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    proposed_at TIMESTAMP NOT NULL,
    decided_by TEXT COLLATE "C" REFERENCES accounts (id),
    decided_at TIMESTAMP,
    decision_reason TEXT COLLATE "C" CHECK (length(decision_reason) BETWEEN 1 AND 500),
    CHECK ((kind = 'carry_over') = (to_line_id IS NOT NULL)),
    CHECK ((decided_by IS NULL) = (decided_at IS NULL)),
    CHECK ((decided_at IS NULL) = (state = 'proposed')),
    CHECK ((decision_reason IS NOT NULL) = (state IN ('refused', 'withdrawn')))
);
CREATE UNIQUE INDEX year_ends_once ON year_ends (hold_id) WHERE state IN ('proposed', 'confirmed');
CREATE INDEX year_ends_funds ON year_ends (fund_id, id);
CREATE INDEX year_ends_matters ON year_ends (matter, id);
CREATE TRIGGER year_ends_kept
    BEFORE DELETE ON year_ends
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER year_ends_fixed
    BEFORE UPDATE OF id, fund_id, fiscal_year, hold_id, line_id, matter, kind, to_line_id, amount_fen, reason, proposed_by, proposed_at ON year_ends
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER year_ends_forward
    BEFORE UPDATE ON year_ends
    FOR EACH ROW WHEN (OLD.state <> 'proposed' OR NEW.state = 'proposed') EXECUTE FUNCTION refuse_change();
