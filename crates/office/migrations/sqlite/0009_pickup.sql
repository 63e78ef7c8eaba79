-- Files that are offered for one download. token and code: SHA-256 of what the link holds and of the code; times are Unix
-- seconds.

CREATE TABLE pickup (
    token        BLOB PRIMARY KEY,
    code         BLOB NOT NULL,
    address      TEXT NOT NULL,
    program      TEXT NOT NULL,
    made_by      TEXT NOT NULL,
    made_at      INTEGER NOT NULL,
    until        INTEGER NOT NULL,
    tries        INTEGER NOT NULL,
    taken_at     INTEGER,
    withdrawn_at INTEGER
) STRICT;

CREATE INDEX pickup_by_address ON pickup (address, made_at);
CREATE INDEX pickup_by_time ON pickup (made_at);
