DROP TABLE contract_variation_parts;
DROP TABLE contract_variation_signatures;
DROP TABLE contract_variations;
