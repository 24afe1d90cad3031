DROP TABLE contract_terminations;
