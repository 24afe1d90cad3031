-- What signed contracts buy, item by item, with what was bid for one unit of each over the whole term: for comparing prices.
CREATE TABLE contract_items (
    contract_id TEXT NOT NULL REFERENCES contracts (id),
    number BIGINT NOT NULL CHECK (number BETWEEN 1 AND 50),
    name_zh TEXT NOT NULL CHECK (length(name_zh) BETWEEN 1 AND 200),
    name_en TEXT NOT NULL CHECK (length(name_en) BETWEEN 1 AND 200),
    unit_zh TEXT NOT NULL CHECK (length(unit_zh) BETWEEN 1 AND 40),
    unit_en TEXT NOT NULL CHECK (length(unit_en) BETWEEN 1 AND 40),
    quantity_millionths BIGINT NOT NULL CHECK (quantity_millionths >= 0),
    unit_price BIGINT NOT NULL CHECK (unit_price >= 0),
    ceiling_fen BIGINT CHECK (ceiling_fen BETWEEN 0 AND 9000000000000000),
    price_fen BIGINT NOT NULL CHECK (price_fen BETWEEN 0 AND 9000000000000000),
    PRIMARY KEY (contract_id, number)
);
CREATE INDEX contract_items_prices ON contract_items (unit_price, contract_id, number);
CREATE TRIGGER contract_items_kept BEFORE DELETE ON contract_items
BEGIN SELECT RAISE(ABORT, 'contract_items is append-only'); END;
CREATE TRIGGER contract_items_fixed BEFORE UPDATE ON contract_items
BEGIN SELECT RAISE(ABORT, 'contract_items is append-only'); END;
