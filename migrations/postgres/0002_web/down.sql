DROP TABLE simulated_clock;
DROP TABLE idempotency_keys;
