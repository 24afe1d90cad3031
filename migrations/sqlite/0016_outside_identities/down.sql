DROP TABLE outside_attempts;
DROP TABLE outside_identities;
