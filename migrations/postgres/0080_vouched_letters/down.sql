ALTER TABLE ballot_letters DROP COLUMN seal;
