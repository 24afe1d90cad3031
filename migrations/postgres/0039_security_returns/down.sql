DROP TABLE bid_security_returns;
