DROP TRIGGER ballot_voters_fixed ON ballot_voters;
ALTER TABLE ballot_voters DROP COLUMN area_dm2;
CREATE TRIGGER ballot_voters_fixed
    BEFORE UPDATE OF ballot_id, number, resident_id, community_id ON ballot_voters
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
