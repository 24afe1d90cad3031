-- What the ballot's key says of each letter: one whose codes were changed or put in behind the service's back is nobody's.
ALTER TABLE ballot_letters ADD COLUMN seal BYTEA CHECK (length(seal) = 32);
