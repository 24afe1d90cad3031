-- Where area is tallied beside heads: the area of each voter's dwelling in hundredths of a square metre, as it was when the ballot was called.
ALTER TABLE ballot_voters ADD COLUMN area_dm2 BIGINT CHECK (area_dm2 BETWEEN 1 AND 10000000);
DROP TRIGGER ballot_voters_fixed ON ballot_voters;
CREATE TRIGGER ballot_voters_fixed
    BEFORE UPDATE OF ballot_id, number, resident_id, community_id, area_dm2 ON ballot_voters
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
