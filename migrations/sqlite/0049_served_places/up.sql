-- Places of signed contracts at which everybody may report what is wrong there, by a code that is put up on them.
CREATE TABLE served_places (
    id TEXT NOT NULL PRIMARY KEY,
    contract_id TEXT NOT NULL REFERENCES contracts (id),
    number BIGINT NOT NULL CHECK (number BETWEEN 1 AND 100),
    name_zh TEXT NOT NULL CHECK (length(name_zh) BETWEEN 1 AND 200),
    name_en TEXT NOT NULL CHECK (length(name_en) BETWEEN 1 AND 200),
    grade TEXT CHECK (length(grade) BETWEEN 1 AND 40),
    area_id TEXT REFERENCES areas (id),
    code TEXT UNIQUE CHECK (length(code) = 10),
    revision BIGINT NOT NULL CHECK (revision >= 1),
    made_at TIMESTAMP NOT NULL,
    changed_at TIMESTAMP NOT NULL,
    UNIQUE (contract_id, number)
);
CREATE INDEX served_places_in ON served_places (area_id, id);
CREATE TRIGGER served_places_kept BEFORE DELETE ON served_places
BEGIN SELECT RAISE(ABORT, 'served_places is append-only'); END;
CREATE TRIGGER served_places_fixed BEFORE UPDATE OF id, contract_id, number, name_zh, name_en, made_at ON served_places
BEGIN SELECT RAISE(ABORT, 'served_places is append-only'); END;
CREATE TRIGGER served_places_forward BEFORE UPDATE ON served_places
    WHEN NEW.revision <> OLD.revision + 1
BEGIN SELECT RAISE(ABORT, 'served_places is append-only'); END;
