DROP TABLE performance_securities;
DROP TABLE contract_signatures;
DROP TABLE contracts;
