DROP TABLE bid_disqualifications;
DROP TABLE price_justifications;
DROP TABLE price_corrections;
DROP TABLE admission_dissents;
DROP TABLE admission_decisions;
DROP TABLE admission_items;
DROP TABLE admission_bids;
DROP TABLE admissions;
