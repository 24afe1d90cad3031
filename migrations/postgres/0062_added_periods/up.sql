-- Periods that a variation has added stand with the others, so that plans and inspections can be of them. Nothing of the original price belongs to one.
INSERT INTO contract_periods (contract_id, number, first_day, last_day, amount_fen)
SELECT v.contract_id, p.period, p.first_day, p.last_day, 0
FROM contract_variation_parts AS p JOIN contract_variations AS v ON v.id = p.variation_id
WHERE p.is_added AND v.state = 'concluded'
ON CONFLICT DO NOTHING;
