DROP TABLE given_shares;
DROP TABLE share_rehearsals;
DROP TABLE key_shares;
DROP TABLE shared_keys;
DROP TABLE witness_keys;
