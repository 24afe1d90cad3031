DROP TABLE payment_batch_claims;
DROP TABLE payment_batches;
