DROP TABLE rectification_rounds;
DROP TABLE rectifications;
