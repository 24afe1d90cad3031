DROP TABLE complainant_listings;
DROP TABLE suspensions;
DROP TABLE complaints;
DROP TABLE challenges;
DROP TABLE result_queries;
