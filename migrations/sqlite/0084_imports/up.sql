-- What was read in from elsewhere: files of open contracting data, what was found in them, and the processes that they tell of. None of it is this ward's own: it
-- moves no money, and binds nobody.
CREATE TABLE imports (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    content_sha256 BLOB NOT NULL CHECK (length(content_sha256) = 32),
    bytes BIGINT NOT NULL CHECK (bytes >= 0),
    kind TEXT NOT NULL CHECK (kind IN ('ocds', 'contracts')),
    state TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed', 'interrupted')),
    releases BIGINT NOT NULL DEFAULT 0 CHECK (releases >= 0),
    releases_known BIGINT NOT NULL DEFAULT 0 CHECK (releases_known >= 0),
    releases_added BIGINT NOT NULL DEFAULT 0 CHECK (releases_added >= 0),
    processes_added BIGINT NOT NULL DEFAULT 0 CHECK (processes_added >= 0),
    processes_changed BIGINT NOT NULL DEFAULT 0 CHECK (processes_changed >= 0),
    repairs BIGINT NOT NULL DEFAULT 0 CHECK (repairs >= 0),
    rejections BIGINT NOT NULL DEFAULT 0 CHECK (rejections >= 0),
    notes BIGINT NOT NULL DEFAULT 0 CHECK (notes >= 0),
    findings_kept BIGINT NOT NULL DEFAULT 0 CHECK (findings_kept >= 0),
    begun_by TEXT NOT NULL CHECK (length(begun_by) BETWEEN 1 AND 60),
    begun_at TIMESTAMP NOT NULL,
    -- The last batch, or the end.
    moved_at TIMESTAMP NOT NULL,
    CHECK (findings_kept <= repairs + rejections + notes)
);
CREATE INDEX imports_contents ON imports (content_sha256);
CREATE TRIGGER imports_kept BEFORE DELETE ON imports
BEGIN SELECT RAISE(ABORT, 'imports is append-only'); END;
CREATE TRIGGER imports_fixed BEFORE UPDATE OF id, name, content_sha256, bytes, kind, begun_by, begun_at ON imports
BEGIN SELECT RAISE(ABORT, 'imports is append-only'); END;

-- What was found: a repair, a rejection, or something worth knowing.
CREATE TABLE import_findings (
    import_id TEXT NOT NULL REFERENCES imports (id),
    number BIGINT NOT NULL CHECK (number >= 1),
    code TEXT NOT NULL CHECK (length(code) BETWEEN 3 AND 60),
    ocid TEXT CHECK (length(ocid) BETWEEN 1 AND 200),
    release_id TEXT CHECK (length(release_id) BETWEEN 1 AND 200),
    pointer TEXT NOT NULL CHECK (length(pointer) <= 400),
    found TEXT NOT NULL CHECK (length(found) <= 200),
    made TEXT NOT NULL CHECK (length(made) <= 200),
    PRIMARY KEY (import_id, number)
);
CREATE INDEX import_findings_codes ON import_findings (import_id, code, number);
CREATE TRIGGER import_findings_kept BEFORE DELETE ON import_findings
BEGIN SELECT RAISE(ABORT, 'import_findings is append-only'); END;
CREATE TRIGGER import_findings_fixed BEFORE UPDATE ON import_findings
BEGIN SELECT RAISE(ABORT, 'import_findings is append-only'); END;

-- Processes as their releases tell of them together.
CREATE TABLE imported_processes (
    ocid TEXT NOT NULL PRIMARY KEY CHECK (length(ocid) BETWEEN 1 AND 200),
    title TEXT NOT NULL CHECK (length(title) <= 500),
    buyer_id TEXT CHECK (length(buyer_id) BETWEEN 1 AND 200),
    buyer_name TEXT CHECK (length(buyer_name) <= 300),
    method TEXT CHECK (length(method) BETWEEN 1 AND 60),
    category TEXT CHECK (length(category) BETWEEN 1 AND 60),
    classification TEXT CHECK (length(classification) BETWEEN 1 AND 60),
    area TEXT CHECK (length(area) BETWEEN 1 AND 60),
    status TEXT CHECK (length(status) BETWEEN 1 AND 60),
    amount_hundredths BIGINT,
    currency TEXT CHECK (length(currency) = 3),
    tender_starts_at TIMESTAMP,
    tender_ends_at TIMESTAMP,
    tenderers BIGINT CHECK (tenderers >= 0),
    year BIGINT CHECK (year BETWEEN 1899 AND 2200),
    releases BIGINT NOT NULL CHECK (releases >= 1),
    bytes BIGINT NOT NULL CHECK (bytes >= 2),
    import_id TEXT NOT NULL REFERENCES imports (id),
    changed_at TIMESTAMP NOT NULL,
    CHECK ((buyer_id IS NULL) = (buyer_name IS NULL))
);
CREATE INDEX imported_processes_buyers ON imported_processes (buyer_id, ocid);
CREATE INDEX imported_processes_buyer_names ON imported_processes (buyer_name, ocid);
CREATE INDEX imported_processes_years ON imported_processes (year, ocid);
CREATE TRIGGER imported_processes_kept BEFORE DELETE ON imported_processes
BEGIN SELECT RAISE(ABORT, 'imported_processes is append-only'); END;

-- Releases as they were published: each is kept for good, also one that others have overtaken.
CREATE TABLE imported_releases (
    ocid TEXT NOT NULL REFERENCES imported_processes (ocid),
    number BIGINT NOT NULL CHECK (number >= 1),
    release_id TEXT NOT NULL CHECK (length(release_id) BETWEEN 1 AND 200),
    content_sha256 BLOB NOT NULL CHECK (length(content_sha256) = 32),
    dated_at TIMESTAMP,
    import_id TEXT NOT NULL REFERENCES imports (id),
    content TEXT NOT NULL CHECK (length(content) >= 2),
    PRIMARY KEY (ocid, number),
    UNIQUE (ocid, content_sha256)
);
CREATE TRIGGER imported_releases_kept BEFORE DELETE ON imported_releases
BEGIN SELECT RAISE(ABORT, 'imported_releases is append-only'); END;
CREATE TRIGGER imported_releases_fixed BEFORE UPDATE ON imported_releases
BEGIN SELECT RAISE(ABORT, 'imported_releases is append-only'); END;

CREATE TABLE imported_parties (
    ocid TEXT NOT NULL REFERENCES imported_processes (ocid),
    number BIGINT NOT NULL CHECK (number >= 1),
    id TEXT NOT NULL CHECK (length(id) BETWEEN 1 AND 200),
    name TEXT NOT NULL CHECK (length(name) <= 300),
    roles TEXT NOT NULL CHECK (length(roles) <= 500),
    identifier TEXT CHECK (length(identifier) BETWEEN 1 AND 200),
    PRIMARY KEY (ocid, number),
    UNIQUE (ocid, id)
);

CREATE TABLE imported_awards (
    ocid TEXT NOT NULL REFERENCES imported_processes (ocid),
    number BIGINT NOT NULL CHECK (number >= 1),
    id TEXT NOT NULL CHECK (length(id) BETWEEN 1 AND 300),
    title TEXT NOT NULL CHECK (length(title) <= 500),
    status TEXT CHECK (length(status) BETWEEN 1 AND 60),
    awarded_at TIMESTAMP,
    amount_hundredths BIGINT,
    currency TEXT CHECK (length(currency) = 3),
    PRIMARY KEY (ocid, number),
    UNIQUE (ocid, id)
);

CREATE TABLE imported_contracts (
    ocid TEXT NOT NULL REFERENCES imported_processes (ocid),
    number BIGINT NOT NULL CHECK (number >= 1),
    id TEXT NOT NULL CHECK (length(id) BETWEEN 1 AND 300),
    award_id TEXT CHECK (length(award_id) BETWEEN 1 AND 300),
    title TEXT NOT NULL CHECK (length(title) <= 500),
    status TEXT CHECK (length(status) BETWEEN 1 AND 60),
    signed_at TIMESTAMP,
    starts_at TIMESTAMP,
    ends_at TIMESTAMP,
    amount_hundredths BIGINT,
    currency TEXT CHECK (length(currency) = 3),
    PRIMARY KEY (ocid, number),
    UNIQUE (ocid, id)
);

-- Who got an award, and who is bound by a contract.
CREATE TABLE imported_suppliers (
    ocid TEXT NOT NULL REFERENCES imported_processes (ocid),
    of_kind TEXT NOT NULL CHECK (of_kind IN ('award', 'contract')),
    of_number BIGINT NOT NULL CHECK (of_number >= 1),
    number BIGINT NOT NULL CHECK (number >= 1),
    supplier_id TEXT NOT NULL CHECK (length(supplier_id) BETWEEN 1 AND 200),
    supplier_name TEXT NOT NULL CHECK (length(supplier_name) <= 300),
    PRIMARY KEY (ocid, of_kind, of_number, number)
);
CREATE INDEX imported_suppliers_ids ON imported_suppliers (supplier_id, ocid);
CREATE INDEX imported_suppliers_names ON imported_suppliers (supplier_name, ocid);

CREATE TABLE imported_transactions (
    ocid TEXT NOT NULL REFERENCES imported_processes (ocid),
    number BIGINT NOT NULL CHECK (number >= 1),
    contract_id TEXT NOT NULL CHECK (length(contract_id) BETWEEN 1 AND 300),
    id TEXT NOT NULL CHECK (length(id) BETWEEN 1 AND 300),
    paid_at TIMESTAMP,
    amount_hundredths BIGINT,
    currency TEXT CHECK (length(currency) = 3),
    payer_id TEXT CHECK (length(payer_id) BETWEEN 1 AND 200),
    payer_name TEXT CHECK (length(payer_name) <= 300),
    payee_id TEXT CHECK (length(payee_id) BETWEEN 1 AND 200),
    payee_name TEXT CHECK (length(payee_name) <= 300),
    PRIMARY KEY (ocid, number)
);
