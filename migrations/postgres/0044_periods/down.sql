DROP TABLE contract_periods;
DROP TABLE contract_schedules;
