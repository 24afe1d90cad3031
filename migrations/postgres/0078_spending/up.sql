-- What is spent, as it is grouped and added up: what each matter of the ledger is counted under, one row for each movement of money, and totals of every
-- one-dimensional grouping beside them. All of it follows from the ledger and from what lots and contracts say.

-- What a lot, a contract or a variation of one is counted under. The ledger names matters by their ids and knows nothing else of them.
CREATE TABLE spending_matters (
    matter TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (length(matter) BETWEEN 1 AND 100),
    line_id TEXT COLLATE "C" NOT NULL REFERENCES budget_lines (id),
    lot_id TEXT COLLATE "C" NOT NULL CHECK (length(lot_id) BETWEEN 1 AND 60),
    contract_id TEXT COLLATE "C" CHECK (length(contract_id) BETWEEN 1 AND 60),
    area_id TEXT COLLATE "C" REFERENCES areas (id),
    method TEXT COLLATE "C" CHECK (length(method) BETWEEN 1 AND 40),
    supplier_id TEXT COLLATE "C" REFERENCES organisations (id),
    supplier_kind TEXT COLLATE "C" CHECK (length(supplier_kind) BETWEEN 1 AND 40),
    unit_zh TEXT COLLATE "C" CHECK (length(unit_zh) BETWEEN 1 AND 40),
    unit_en TEXT COLLATE "C" CHECK (length(unit_en) BETWEEN 1 AND 40),
    quantity_millionths BIGINT CHECK (quantity_millionths > 0),
    CHECK ((contract_id IS NULL) = (supplier_id IS NULL)),
    CHECK ((supplier_id IS NULL) = (supplier_kind IS NULL)),
    CHECK ((unit_zh IS NULL) = (quantity_millionths IS NULL)),
    CHECK ((unit_en IS NULL) = (quantity_millionths IS NULL)),
    CHECK (quantity_millionths IS NULL OR contract_id IS NOT NULL)
);
CREATE TRIGGER spending_matters_kept
    BEFORE DELETE ON spending_matters
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER spending_matters_fixed
    BEFORE UPDATE ON spending_matters
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER spending_matters_not_emptied BEFORE TRUNCATE ON spending_matters EXECUTE FUNCTION refuse_change();

-- Everything that a movement of money is grouped by, but its day. The id is made of fund, year, line, lot and contract.
CREATE TABLE spending_subjects (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id >= 0),
    shard BIGINT NOT NULL CHECK (shard BETWEEN 0 AND 15),
    fund_id TEXT COLLATE "C" NOT NULL REFERENCES funds (id),
    fiscal_year BIGINT NOT NULL CHECK (fiscal_year BETWEEN 2000 AND 2199),
    line_id TEXT COLLATE "C" REFERENCES budget_lines (id),
    buyer_id TEXT COLLATE "C" REFERENCES organisations (id),
    category TEXT COLLATE "C" REFERENCES service_categories (code),
    lot_id TEXT COLLATE "C" CHECK (length(lot_id) BETWEEN 1 AND 60),
    contract_id TEXT COLLATE "C" CHECK (length(contract_id) BETWEEN 1 AND 60),
    area_id TEXT COLLATE "C" REFERENCES areas (id),
    method TEXT COLLATE "C" CHECK (length(method) BETWEEN 1 AND 40),
    supplier_id TEXT COLLATE "C" REFERENCES organisations (id),
    supplier_kind TEXT COLLATE "C" CHECK (length(supplier_kind) BETWEEN 1 AND 40),
    unit_zh TEXT COLLATE "C" CHECK (length(unit_zh) BETWEEN 1 AND 40),
    unit_en TEXT COLLATE "C" CHECK (length(unit_en) BETWEEN 1 AND 40),
    quantity_millionths BIGINT CHECK (quantity_millionths > 0),
    CHECK ((line_id IS NULL) = (buyer_id IS NULL)),
    CHECK ((line_id IS NULL) = (category IS NULL)),
    CHECK (line_id IS NOT NULL OR lot_id IS NULL),
    CHECK (lot_id IS NOT NULL OR contract_id IS NULL),
    CHECK ((contract_id IS NULL) = (supplier_id IS NULL))
);
CREATE INDEX spending_subjects_lines ON spending_subjects (line_id);
CREATE INDEX spending_subjects_contracts ON spending_subjects (contract_id);
CREATE INDEX spending_subjects_suppliers ON spending_subjects (supplier_id);
CREATE TRIGGER spending_subjects_kept
    BEFORE DELETE ON spending_subjects
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER spending_subjects_fixed
    BEFORE UPDATE ON spending_subjects
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER spending_subjects_not_emptied BEFORE TRUNCATE ON spending_subjects EXECUTE FUNCTION refuse_change();

-- What a transfer of the ledger added to each measure of each subject that it touches; and what residents said of a period, which moves no money. Amounts are whole
-- fen. `satisfaction` is the mean in hundredths times `ballots`.
CREATE TABLE spending_facts (
    source_id TEXT COLLATE "C" NOT NULL CHECK (length(source_id) BETWEEN 1 AND 60),
    subject_id BIGINT NOT NULL REFERENCES spending_subjects (id),
    made_on DATE NOT NULL,
    month BIGINT NOT NULL CHECK (month BETWEEN 190001 AND 999912),
    amount_fen BIGINT NOT NULL CHECK (amount_fen >= 0),
    appropriated_fen BIGINT NOT NULL,
    budgeted_fen BIGINT NOT NULL,
    reserved_fen BIGINT NOT NULL,
    committed_fen BIGINT NOT NULL,
    retained_fen BIGINT NOT NULL,
    paid_fen BIGINT NOT NULL,
    deducted_fen BIGINT NOT NULL CHECK (deducted_fen >= 0),
    refunded_fen BIGINT NOT NULL CHECK (refunded_fen >= 0),
    payments BIGINT NOT NULL CHECK (payments BETWEEN -1 AND 1),
    ballots BIGINT NOT NULL CHECK (ballots >= 0),
    satisfaction BIGINT NOT NULL CHECK (satisfaction >= 0),
    PRIMARY KEY (source_id, subject_id)
);
CREATE INDEX spending_facts_subjects ON spending_facts (subject_id, made_on);
CREATE INDEX spending_facts_days ON spending_facts (made_on);
CREATE TRIGGER spending_facts_kept
    BEFORE DELETE ON spending_facts
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER spending_facts_fixed
    BEFORE UPDATE ON spending_facts
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER spending_facts_not_emptied BEFORE TRUNCATE ON spending_facts EXECUTE FUNCTION refuse_change();

-- The facts added up by each dimension alone. Nothing but sums: they are made anew from the facts whenever somebody asks. What many write at once lies in several shards.
CREATE TABLE spending_totals (
    dimension TEXT COLLATE "C" NOT NULL CHECK (dimension IN ('month', 'fiscal_year', 'fund', 'budget_line', 'buyer', 'area', 'category', 'supplier', 'supplier_kind', 'method', 'contract')),
    value TEXT COLLATE "C" NOT NULL CHECK (length(value) BETWEEN 0 AND 60),
    shard BIGINT NOT NULL CHECK (shard BETWEEN 0 AND 15),
    appropriated_fen BIGINT NOT NULL,
    budgeted_fen BIGINT NOT NULL,
    reserved_fen BIGINT NOT NULL,
    committed_fen BIGINT NOT NULL,
    retained_fen BIGINT NOT NULL,
    paid_fen BIGINT NOT NULL,
    deducted_fen BIGINT NOT NULL,
    refunded_fen BIGINT NOT NULL,
    payments BIGINT NOT NULL,
    ballots BIGINT NOT NULL,
    satisfaction BIGINT NOT NULL,
    PRIMARY KEY (dimension, value, shard)
);
