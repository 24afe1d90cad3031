DROP TABLE claim_confirmations;
DROP TABLE claim_executions;
DROP TABLE claim_penalties;
DROP TABLE claim_certifications;
DROP TABLE payment_claims;
