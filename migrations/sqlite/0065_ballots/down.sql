DROP TRIGGER voter_listings_erased;
DROP TABLE voter_listings;
DROP TABLE ballot_mailings;
DROP TABLE ballot_letters;
DROP TABLE ballot_slips;
DROP TABLE ballot_papers;
DROP TABLE ballot_voters;
DROP TABLE ballots;
