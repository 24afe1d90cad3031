DROP TABLE bid_securities;
DROP TABLE bid_disclosures;
DROP TABLE late_bids;
DROP TABLE bid_ciphertexts;
DROP TABLE bid_versions;
DROP TABLE audit_withheld;
