DROP TABLE addenda;
