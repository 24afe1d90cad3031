-- Money: where it comes from, who may spend it on what, and the ledger that every yuan moves through. Amounts are whole fen.

-- Where money comes from. `organisation_id` keeps it.
CREATE TABLE funds (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    code TEXT COLLATE "C" NOT NULL UNIQUE CHECK (length(code) BETWEEN 2 AND 20),
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('annual_budget', 'special_fund')),
    organisation_id TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    name_zh TEXT COLLATE "C" NOT NULL CHECK (length(name_zh) BETWEEN 1 AND 100),
    name_en TEXT COLLATE "C" NOT NULL CHECK (length(name_en) BETWEEN 1 AND 100),
    basis TEXT COLLATE "C" NOT NULL CHECK (length(basis) BETWEEN 1 AND 200),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('open', 'closed')),
    version BIGINT NOT NULL CHECK (version >= 1),
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
CREATE INDEX funds_organisations ON funds (organisation_id);
CREATE TRIGGER funds_kept
    BEFORE DELETE ON funds
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER funds_not_emptied BEFORE TRUNCATE ON funds EXECUTE FUNCTION refuse_change();
CREATE TRIGGER funds_fixed
    BEFORE UPDATE OF id, code, kind, organisation_id, created_at ON funds
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- What an organisation may spend of a fund in a fiscal year, by category and purpose.
CREATE TABLE budget_lines (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    fund_id TEXT COLLATE "C" NOT NULL REFERENCES funds (id),
    fiscal_year BIGINT NOT NULL CHECK (fiscal_year BETWEEN 2000 AND 2199),
    code TEXT COLLATE "C" NOT NULL CHECK (length(code) BETWEEN 2 AND 20),
    organisation_id TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    category TEXT COLLATE "C" NOT NULL REFERENCES service_categories (code),
    purpose_zh TEXT COLLATE "C" NOT NULL CHECK (length(purpose_zh) BETWEEN 1 AND 200),
    purpose_en TEXT COLLATE "C" NOT NULL CHECK (length(purpose_en) BETWEEN 1 AND 200),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('open', 'closed')),
    version BIGINT NOT NULL CHECK (version >= 1),
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX budget_lines_codes ON budget_lines (fund_id, fiscal_year, code);
CREATE INDEX budget_lines_organisations ON budget_lines (organisation_id, fiscal_year);
CREATE INDEX budget_lines_categories ON budget_lines (fiscal_year, category);
CREATE TRIGGER budget_lines_kept
    BEFORE DELETE ON budget_lines
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER budget_lines_not_emptied BEFORE TRUNCATE ON budget_lines EXECUTE FUNCTION refuse_change();
CREATE TRIGGER budget_lines_fixed
    BEFORE UPDATE OF id, fund_id, fiscal_year, code, organisation_id, category, created_at ON budget_lines
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Accounts of the ledger: two of each fund and fiscal year, six of each budget line. The balance is what the entries add up to:
-- credits less debits. Only the source of a fund's money may be overdrawn, and nothing else is ever in it.
CREATE TABLE ledger_accounts (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    fund_id TEXT COLLATE "C" NOT NULL REFERENCES funds (id),
    fiscal_year BIGINT NOT NULL,
    line_id TEXT COLLATE "C" REFERENCES budget_lines (id),
    code TEXT COLLATE "C" NOT NULL
        CHECK (code IN ('source', 'unallocated', 'available', 'reserved', 'committed', 'retained', 'spent', 'returned')),
    balance_fen BIGINT NOT NULL CHECK (balance_fen BETWEEN -9000000000000000 AND 9000000000000000),
    entries BIGINT NOT NULL CHECK (entries >= 0),
    opened_at TIMESTAMP NOT NULL,
    CHECK ((code IN ('source', 'unallocated')) = (line_id IS NULL)),
    CHECK (CASE WHEN code = 'source' THEN balance_fen <= 0 ELSE balance_fen >= 0 END)
);
CREATE UNIQUE INDEX ledger_accounts_lines ON ledger_accounts (line_id, code) WHERE line_id IS NOT NULL;
CREATE UNIQUE INDEX ledger_accounts_years ON ledger_accounts (fund_id, fiscal_year, code) WHERE line_id IS NULL;
CREATE INDEX ledger_accounts_funds ON ledger_accounts (fund_id, fiscal_year, id);
CREATE TRIGGER ledger_accounts_kept
    BEFORE DELETE ON ledger_accounts
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_accounts_not_emptied BEFORE TRUNCATE ON ledger_accounts EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_accounts_fixed
    BEFORE UPDATE OF id, fund_id, fiscal_year, line_id, code, opened_at ON ledger_accounts
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Money that went from one account to another. `hold_id` is the hold that it was taken from, if it came out of an account in
-- which every fen is held for something.
CREATE TABLE ledger_transfers (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    from_account_id TEXT COLLATE "C" NOT NULL REFERENCES ledger_accounts (id),
    to_account_id TEXT COLLATE "C" NOT NULL REFERENCES ledger_accounts (id),
    amount_fen BIGINT NOT NULL CHECK (amount_fen BETWEEN 1 AND 9000000000000000),
    code TEXT COLLATE "C" NOT NULL CHECK (length(code) BETWEEN 1 AND 40),
    phase TEXT COLLATE "C" NOT NULL CHECK (phase IN ('direct', 'pending', 'posted', 'voided')),
    hold_id TEXT COLLATE "C" REFERENCES ledger_transfers (id),
    matter TEXT COLLATE "C" NOT NULL CHECK (length(matter) BETWEEN 1 AND 100),
    made_at TIMESTAMP NOT NULL,
    CHECK (from_account_id <> to_account_id),
    CHECK ((phase IN ('posted', 'voided')) = (hold_id IS NOT NULL))
);
CREATE INDEX ledger_transfers_matters ON ledger_transfers (matter, id);
CREATE INDEX ledger_transfers_holds ON ledger_transfers (hold_id);
CREATE TRIGGER ledger_transfers_kept
    BEFORE DELETE ON ledger_transfers
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_transfers_not_emptied BEFORE TRUNCATE ON ledger_transfers EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_transfers_fixed
    BEFORE UPDATE ON ledger_transfers
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- What a transfer did to each of its two accounts, numbered within the account from 1 without a gap.
CREATE TABLE ledger_entries (
    account_id TEXT COLLATE "C" NOT NULL REFERENCES ledger_accounts (id),
    number BIGINT NOT NULL CHECK (number >= 1),
    transfer_id TEXT COLLATE "C" NOT NULL REFERENCES ledger_transfers (id),
    amount_fen BIGINT NOT NULL CHECK (amount_fen <> 0),
    balance_fen BIGINT NOT NULL,
    made_at TIMESTAMP NOT NULL,
    PRIMARY KEY (account_id, number)
);
CREATE UNIQUE INDEX ledger_entries_transfers ON ledger_entries (transfer_id, account_id);
CREATE INDEX ledger_entries_times ON ledger_entries (account_id, made_at);
CREATE TRIGGER ledger_entries_kept
    BEFORE DELETE ON ledger_entries
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_entries_not_emptied BEFORE TRUNCATE ON ledger_entries EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_entries_fixed
    BEFORE UPDATE ON ledger_entries
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Money held for something until it is posted or goes back to where it came from. The id is that of the transfer that began it.
CREATE TABLE ledger_holds (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES ledger_transfers (id),
    account_id TEXT COLLATE "C" NOT NULL REFERENCES ledger_accounts (id),
    origin_account_id TEXT COLLATE "C" NOT NULL REFERENCES ledger_accounts (id),
    matter TEXT COLLATE "C" NOT NULL CHECK (length(matter) BETWEEN 1 AND 100),
    amount_fen BIGINT NOT NULL CHECK (amount_fen >= 1),
    remaining_fen BIGINT NOT NULL CHECK (remaining_fen BETWEEN 0 AND amount_fen),
    opened_at TIMESTAMP NOT NULL
);
CREATE INDEX ledger_holds_accounts ON ledger_holds (account_id, id) WHERE remaining_fen > 0;
CREATE INDEX ledger_holds_matters ON ledger_holds (matter);
CREATE TRIGGER ledger_holds_kept
    BEFORE DELETE ON ledger_holds
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_holds_not_emptied BEFORE TRUNCATE ON ledger_holds EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_holds_fixed
    BEFORE UPDATE OF id, account_id, origin_account_id, matter, amount_fen, opened_at ON ledger_holds
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- What an organisation reserved money of a line for by hand; the hold has its id as matter.
CREATE TABLE reservations (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    line_id TEXT COLLATE "C" NOT NULL REFERENCES budget_lines (id),
    purpose TEXT COLLATE "C" NOT NULL CHECK (length(purpose) BETWEEN 1 AND 200),
    made_by TEXT COLLATE "C" NOT NULL,
    made_at TIMESTAMP NOT NULL
);
CREATE TRIGGER reservations_kept
    BEFORE DELETE ON reservations
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER reservations_not_emptied BEFORE TRUNCATE ON reservations EXECUTE FUNCTION refuse_change();
CREATE TRIGGER reservations_fixed
    BEFORE UPDATE ON reservations
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Appropriations, allocations, transfers between lines: proposed by one person, confirmed by another.
CREATE TABLE budget_movements (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN
        ('appropriation', 'supplementary_appropriation', 'allocation', 'withdrawal', 'transfer', 'carry_over', 'return')),
    fund_id TEXT COLLATE "C" NOT NULL REFERENCES funds (id),
    fiscal_year BIGINT NOT NULL CHECK (fiscal_year BETWEEN 2000 AND 2199),
    from_line_id TEXT COLLATE "C" REFERENCES budget_lines (id),
    to_line_id TEXT COLLATE "C" REFERENCES budget_lines (id),
    amount_fen BIGINT NOT NULL CHECK (amount_fen BETWEEN 1 AND 9000000000000000),
    document TEXT COLLATE "C" CHECK (length(document) BETWEEN 1 AND 100),
    reason TEXT COLLATE "C" NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('proposed', 'confirmed', 'refused', 'withdrawn')),
    proposed_by TEXT COLLATE "C" NOT NULL,
    proposed_at TIMESTAMP NOT NULL,
    decided_by TEXT COLLATE "C",
    decided_at TIMESTAMP,
    decision_reason TEXT COLLATE "C" CHECK (length(decision_reason) BETWEEN 1 AND 500),
    CHECK ((state = 'proposed') = (decided_by IS NULL)),
    CHECK ((decided_by IS NULL) = (decided_at IS NULL)),
    CHECK (state <> 'confirmed' OR decided_by <> proposed_by),
    CHECK ((kind IN ('withdrawal', 'transfer', 'carry_over', 'return')) = (from_line_id IS NOT NULL)),
    CHECK ((kind IN ('allocation', 'transfer', 'carry_over')) = (to_line_id IS NOT NULL)),
    CHECK (kind NOT IN ('appropriation', 'supplementary_appropriation') OR document IS NOT NULL)
);
CREATE INDEX budget_movements_funds ON budget_movements (fund_id, id);
CREATE UNIQUE INDEX budget_movements_first ON budget_movements (fund_id, fiscal_year)
    WHERE kind = 'appropriation' AND state IN ('proposed', 'confirmed');
CREATE TRIGGER budget_movements_kept
    BEFORE DELETE ON budget_movements
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER budget_movements_not_emptied BEFORE TRUNCATE ON budget_movements EXECUTE FUNCTION refuse_change();
CREATE TRIGGER budget_movements_decided_once
    BEFORE UPDATE ON budget_movements
    FOR EACH ROW WHEN (OLD.state <> 'proposed') EXECUTE FUNCTION refuse_change();
CREATE TRIGGER budget_movements_fixed
    BEFORE UPDATE OF id, kind, fund_id, fiscal_year, from_line_id, to_line_id, amount_fen, document, reason, proposed_by, proposed_at ON budget_movements
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- A duty handed to a street office or community, with the money for it (费随事转).
CREATE TABLE delegations (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    from_organisation_id TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    to_organisation_id TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    scope_zh TEXT COLLATE "C" CHECK (length(scope_zh) BETWEEN 1 AND 1000),
    scope_en TEXT COLLATE "C" CHECK (length(scope_en) BETWEEN 1 AND 1000),
    document_number TEXT COLLATE "C" CHECK (length(document_number) BETWEEN 1 AND 100),
    document_date DATE,
    amount_fen BIGINT CHECK (amount_fen BETWEEN 1 AND 9000000000000000),
    from_line_id TEXT COLLATE "C" REFERENCES budget_lines (id),
    to_line_id TEXT COLLATE "C" REFERENCES budget_lines (id),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('draft', 'effective', 'ended', 'discarded')),
    version BIGINT NOT NULL CHECK (version >= 1),
    drafted_by TEXT COLLATE "C" NOT NULL,
    drafted_at TIMESTAMP NOT NULL,
    effective_by TEXT COLLATE "C",
    effective_at TIMESTAMP,
    ended_by TEXT COLLATE "C",
    ended_at TIMESTAMP,
    end_reason TEXT COLLATE "C" CHECK (length(end_reason) BETWEEN 1 AND 500),
    CHECK ((scope_zh IS NULL) = (scope_en IS NULL)),
    CHECK ((document_number IS NULL) = (document_date IS NULL)),
    CHECK ((effective_by IS NULL) = (effective_at IS NULL)),
    CHECK (state NOT IN ('effective', 'ended') OR effective_at IS NOT NULL),
    CHECK (state <> 'draft' OR effective_at IS NULL),
    CHECK ((state IN ('ended', 'discarded')) = (ended_at IS NOT NULL)),
    CHECK ((ended_by IS NULL) = (ended_at IS NULL)),
    CHECK (from_organisation_id <> to_organisation_id),
    CHECK (effective_by IS NULL OR effective_by <> drafted_by)
);
CREATE INDEX delegations_from ON delegations (from_organisation_id, id);
CREATE INDEX delegations_to ON delegations (to_organisation_id, state);
CREATE TRIGGER delegations_kept
    BEFORE DELETE ON delegations
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER delegations_not_emptied BEFORE TRUNCATE ON delegations EXECUTE FUNCTION refuse_change();
CREATE TRIGGER delegations_fixed
    BEFORE UPDATE OF id, from_organisation_id, to_organisation_id, drafted_by, drafted_at ON delegations
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER delegations_in_effect
    BEFORE UPDATE OF scope_zh, scope_en, document_number, document_date, amount_fen, from_line_id, to_line_id ON delegations
    FOR EACH ROW WHEN (OLD.state <> 'draft') EXECUTE FUNCTION refuse_change();

-- That a community was assessed on a duty, and whether it had been given the money for it.
CREATE TABLE duty_assessments (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    by_organisation_id TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    of_organisation_id TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    duty_zh TEXT COLLATE "C" NOT NULL CHECK (length(duty_zh) BETWEEN 1 AND 500),
    duty_en TEXT COLLATE "C" NOT NULL CHECK (length(duty_en) BETWEEN 1 AND 500),
    delegation_id TEXT COLLATE "C" REFERENCES delegations (id),
    assessed_on DATE NOT NULL,
    flagged BOOLEAN NOT NULL,
    statute_id TEXT COLLATE "C" NOT NULL,
    recorded_by TEXT COLLATE "C" NOT NULL,
    recorded_at TIMESTAMP NOT NULL
);
CREATE INDEX duty_assessments_of ON duty_assessments (of_organisation_id, id);
CREATE INDEX duty_assessments_by ON duty_assessments (by_organisation_id, id);
CREATE TRIGGER duty_assessments_kept
    BEFORE DELETE ON duty_assessments
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER duty_assessments_not_emptied BEFORE TRUNCATE ON duty_assessments EXECUTE FUNCTION refuse_change();
CREATE TRIGGER duty_assessments_fixed
    BEFORE UPDATE ON duty_assessments
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
