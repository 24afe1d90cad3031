ALTER TABLE ballot_letters DROP COLUMN printings;
ALTER TABLE ballot_letters DROP COLUMN printed_at;
DROP TRIGGER ballot_voters_fixed ON ballot_voters;
ALTER TABLE ballot_voters DROP COLUMN seal;
CREATE TRIGGER ballot_voters_fixed
    BEFORE UPDATE OF ballot_id, number, resident_id, community_id, area_dm2 ON ballot_voters
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
