-- What others have published of what they bought, as it is grouped and added up beside the ward's own: one row for what was agreed and for each payment of an imported
-- process, totals of every one-dimensional grouping, and what organisations are called. It stands apart from what is measured of the ledger, and can be replaced.
CREATE TABLE spending_imported (
    ocid TEXT NOT NULL CHECK (length(ocid) BETWEEN 1 AND 200),
    number BIGINT NOT NULL CHECK (number >= 1),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    made_on DATE,
    month BIGINT CHECK (month BETWEEN 100001 AND 999912),
    fiscal_year BIGINT CHECK (fiscal_year BETWEEN 1000 AND 9999),
    buyer_id TEXT CHECK (length(buyer_id) BETWEEN 1 AND 100),
    category TEXT CHECK (length(category) BETWEEN 1 AND 100),
    area_id TEXT REFERENCES areas (id),
    method TEXT CHECK (length(method) BETWEEN 1 AND 40),
    supplier_id TEXT CHECK (length(supplier_id) BETWEEN 1 AND 100),
    supplier_kind TEXT CHECK (length(supplier_kind) BETWEEN 1 AND 40),
    contract_id TEXT CHECK (length(contract_id) BETWEEN 1 AND 100),
    amount BIGINT NOT NULL CHECK (amount BETWEEN 0 AND 1000000000000000),
    committed BIGINT NOT NULL,
    paid BIGINT NOT NULL,
    payments BIGINT NOT NULL CHECK (payments BETWEEN 0 AND 1),
    CHECK ((made_on IS NULL) = (month IS NULL)),
    CHECK ((made_on IS NULL) = (fiscal_year IS NULL)),
    PRIMARY KEY (ocid, number)
) WITHOUT ROWID;
CREATE INDEX spending_imported_days ON spending_imported (currency, made_on);
CREATE INDEX spending_imported_buyers ON spending_imported (buyer_id);
CREATE INDEX spending_imported_suppliers ON spending_imported (supplier_id);
CREATE INDEX spending_imported_contracts ON spending_imported (contract_id);

-- The same added up by each dimension alone, currency by currency. `amount` is what moved altogether, whichever way.
CREATE TABLE spending_imported_totals (
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    dimension TEXT NOT NULL CHECK (dimension IN ('month', 'fiscal_year', 'fund', 'budget_line', 'buyer', 'area', 'category', 'supplier', 'supplier_kind', 'method', 'contract')),
    value TEXT NOT NULL CHECK (length(value) BETWEEN 0 AND 100),
    records BIGINT NOT NULL CHECK (records >= 0),
    amount BIGINT NOT NULL CHECK (amount BETWEEN 0 AND 9000000000000000000),
    committed BIGINT NOT NULL,
    paid BIGINT NOT NULL,
    payments BIGINT NOT NULL,
    PRIMARY KEY (currency, dimension, value)
) WITHOUT ROWID;

-- What an organisation was called where it was named last.
CREATE TABLE spending_imported_names (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 100),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 300)
) WITHOUT ROWID;
