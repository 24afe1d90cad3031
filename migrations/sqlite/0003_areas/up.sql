-- The area tree: city, district, street, community. `path` is the ids from the root down to the area itself, each
-- followed by a slash, so that a subtree is a range.
CREATE TABLE areas (
    id TEXT NOT NULL PRIMARY KEY,
    parent_id TEXT REFERENCES areas (id),
    level TEXT NOT NULL CHECK (level IN ('city', 'district', 'street', 'community')),
    code TEXT UNIQUE,
    name_zh TEXT NOT NULL CHECK (length(name_zh) BETWEEN 1 AND 100),
    name_en TEXT NOT NULL CHECK (length(name_en) BETWEEN 1 AND 100),
    path TEXT NOT NULL UNIQUE,
    version BIGINT NOT NULL CHECK (version >= 1),
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CHECK ((level = 'city') = (parent_id IS NULL))
) WITHOUT ROWID;
CREATE UNIQUE INDEX areas_sibling_names ON areas (parent_id, name_zh);
CREATE UNIQUE INDEX areas_city_names ON areas (name_zh) WHERE parent_id IS NULL;
CREATE INDEX areas_names ON areas (name_zh, id);
CREATE INDEX areas_ages ON areas (created_at, id);
