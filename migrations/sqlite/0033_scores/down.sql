DROP TABLE evaluation_disclosures;
DROP TABLE evaluation_dissents;
DROP TABLE score_sheets;
DROP TABLE score_rounds;
