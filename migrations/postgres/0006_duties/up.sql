-- Who did what on which matter, so that nobody checks themself. `person` is the account that did it and, where a deputy
-- acted, also the one that was deputised for. Nothing here is ever changed or deleted.
CREATE TABLE duties (
    matter TEXT COLLATE "C" NOT NULL,
    duty TEXT COLLATE "C" NOT NULL,
    person TEXT COLLATE "C" NOT NULL,
    done_by TEXT COLLATE "C" NOT NULL,
    done_at TIMESTAMP NOT NULL,
    PRIMARY KEY (matter, duty, person)
);
CREATE INDEX duties_person ON duties (person, matter);

CREATE TRIGGER duties_fixed BEFORE UPDATE OR DELETE ON duties FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER duties_not_emptied BEFORE TRUNCATE ON duties EXECUTE FUNCTION refuse_change();
