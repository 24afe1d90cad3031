DROP TRIGGER ballot_voters_fixed;
ALTER TABLE ballot_voters DROP COLUMN area_dm2;
CREATE TRIGGER ballot_voters_fixed BEFORE UPDATE OF ballot_id, number, resident_id, community_id ON ballot_voters
BEGIN SELECT RAISE(ABORT, 'ballot_voters is append-only'); END;
