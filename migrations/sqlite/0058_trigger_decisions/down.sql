DROP TABLE trigger_decisions;
