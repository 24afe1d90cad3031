-- Interest for what was paid late (逾期利息) is claimed like any other part.
ALTER TABLE payment_claims DROP CONSTRAINT payment_claims_kind_check;
ALTER TABLE payment_claims ADD CONSTRAINT payment_claims_kind_check CHECK (kind IN ('period', 'advance', 'retention', 'settlement', 'interest'));
