-- What the ballot's key says of each entry of a roll: an entry that was changed or added behind the service's back has no vote.
ALTER TABLE ballot_voters ADD COLUMN seal BYTEA CHECK (length(seal) = 32);
DROP TRIGGER ballot_voters_fixed ON ballot_voters;
CREATE TRIGGER ballot_voters_fixed
    BEFORE UPDATE OF ballot_id, number, resident_id, community_id, area_dm2, seal ON ballot_voters
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
-- When a voter's letter was printed last, and how often one was: they are told, because whoever prints another one could use it.
ALTER TABLE ballot_letters ADD COLUMN printed_at TIMESTAMP;
ALTER TABLE ballot_letters ADD COLUMN printings BIGINT NOT NULL DEFAULT 1 CHECK (printings >= 1);
