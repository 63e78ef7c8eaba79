-- Files that are offered for one download. token and code: SHA-256 of what the link holds and of the code; times are Unix
-- seconds.

CREATE TABLE pickup (
    token        BYTEA PRIMARY KEY,
    code         BYTEA NOT NULL,
    address      TEXT NOT NULL,
    program      TEXT NOT NULL,
    made_by      TEXT NOT NULL,
    made_at      BIGINT NOT NULL,
    until        BIGINT NOT NULL,
    tries        BIGINT NOT NULL,
    taken_at     BIGINT,
    withdrawn_at BIGINT
);

CREATE INDEX pickup_by_address ON pickup (address, made_at);
CREATE INDEX pickup_by_time ON pickup (made_at);
