DROP TABLE recovery_codes;
DROP TABLE second_factors;
DROP INDEX one_time_links_expiry;
DROP TABLE sign_in_codes;
