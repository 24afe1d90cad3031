-- Answers already given, so that a request sent again with the same Idempotency-Key gets the same one.
CREATE TABLE idempotency_keys (
    actor TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    fingerprint BYTEA NOT NULL CHECK (length(fingerprint) = 32),
    status BIGINT NOT NULL CHECK (status BETWEEN 200 AND 299),
    etag TEXT COLLATE "C",
    location TEXT COLLATE "C",
    body TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (actor, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

-- Where a simulated clock stands; empty where the machine's clock is used.
CREATE TABLE simulated_clock (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    now_at TIMESTAMP NOT NULL
);
