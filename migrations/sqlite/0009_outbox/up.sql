-- Mail, queued in the transaction of the act that it tells of and sent afterwards. `facts` is what it says, as JSON; it and the
-- address go when they are not needed any more, the row stays so that the same is not told twice.
CREATE TABLE outbox (
    id TEXT NOT NULL PRIMARY KEY,
    dedup_key TEXT NOT NULL UNIQUE CHECK (length(dedup_key) BETWEEN 1 AND 200),
    kind TEXT NOT NULL,
    category TEXT NOT NULL CHECK (category IN ('security', 'duty', 'news')),
    account_id TEXT,
    address TEXT CHECK (length(address) BETWEEN 3 AND 254),
    name TEXT CHECK (length(name) <= 100),
    language TEXT NOT NULL CHECK (language IN ('zh-CN', 'en')),
    facts TEXT,
    secret BOOLEAN NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'held', 'collected', 'sent', 'dead', 'dropped')),
    attempts BIGINT NOT NULL CHECK (attempts >= 0),
    next_at TIMESTAMP,
    useful_until TIMESTAMP,
    last_failure TEXT,
    digest_id TEXT,
    created_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP,
    CHECK ((state IN ('waiting', 'held')) = (next_at IS NOT NULL)),
    CHECK ((state IN ('waiting', 'held')) = (ended_at IS NULL)),
    CHECK (state NOT IN ('waiting', 'held', 'dead') OR (facts IS NOT NULL AND address IS NOT NULL)),
    CHECK (NOT secret OR state IN ('waiting', 'dead') OR facts IS NULL),
    CHECK ((state = 'collected') = (digest_id IS NOT NULL)),
    CHECK (state <> 'held' OR account_id IS NOT NULL)
) WITHOUT ROWID;
CREATE INDEX outbox_due ON outbox (state, next_at, id);
CREATE INDEX outbox_listed ON outbox (state, id);
CREATE INDEX outbox_accounts ON outbox (account_id, state);
CREATE INDEX outbox_ended ON outbox (ended_at, id);

-- What people have chosen about their mail; no row while they have chosen nothing.
CREATE TABLE mail_preferences (
    account_id TEXT NOT NULL PRIMARY KEY,
    duty TEXT NOT NULL CHECK (duty IN ('at_once', 'daily')),
    news TEXT NOT NULL CHECK (news IN ('at_once', 'daily', 'off')),
    language TEXT CHECK (language IN ('zh-CN', 'en')),
    version BIGINT NOT NULL CHECK (version >= 2),
    updated_at TIMESTAMP NOT NULL
) WITHOUT ROWID;
