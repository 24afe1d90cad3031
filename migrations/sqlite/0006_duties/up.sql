-- Who did what on which matter, so that nobody checks themself. `person` is the account that did it and, where a deputy
-- acted, also the one that was deputised for. Nothing here is ever changed or deleted.
CREATE TABLE duties (
    matter TEXT NOT NULL,
    duty TEXT NOT NULL,
    person TEXT NOT NULL,
    done_by TEXT NOT NULL,
    done_at TIMESTAMP NOT NULL,
    PRIMARY KEY (matter, duty, person)
) WITHOUT ROWID;
CREATE INDEX duties_person ON duties (person, matter);

CREATE TRIGGER duties_fixed BEFORE UPDATE ON duties
BEGIN SELECT RAISE(ABORT, 'duties is append-only'); END;
CREATE TRIGGER duties_kept BEFORE DELETE ON duties
BEGIN SELECT RAISE(ABORT, 'duties is append-only'); END;
