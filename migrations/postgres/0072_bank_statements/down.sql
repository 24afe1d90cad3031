DROP TRIGGER payment_claims_forward ON payment_claims;
CREATE TRIGGER payment_claims_forward
    BEFORE UPDATE ON payment_claims
    FOR EACH ROW WHEN (OLD.state IN ('confirmed', 'returned', 'failed') OR NEW.revision <> OLD.revision + 1
        OR (OLD.state = 'claimed' AND NEW.state NOT IN ('certified', 'returned'))
        OR (OLD.state = 'certified' AND NEW.state NOT IN ('approved', 'returned'))
        OR (OLD.state = 'approved' AND NEW.state NOT IN ('executed', 'returned'))
        OR (OLD.state = 'executed' AND NEW.state NOT IN ('confirmed', 'failed'))
        OR (OLD.approved_at IS NOT NULL AND (NEW.approved_by IS DISTINCT FROM OLD.approved_by OR NEW.approved_at IS DISTINCT FROM OLD.approved_at))) EXECUTE FUNCTION refuse_change();
DROP TABLE bank_statements;
