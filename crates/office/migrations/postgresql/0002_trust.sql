-- Whom the operator of this instance believes beside its own CA and the public list. Times are Unix seconds;
-- fingerprints are SHA-256 over the certificate, in hexadecimal.

CREATE TABLE anchor (
    fingerprint    TEXT PRIMARY KEY,
    certificate    BYTEA NOT NULL,
    -- lines; none is no limit
    only_for       TEXT NOT NULL,
    names_verified BIGINT NOT NULL CHECK (names_verified IN (0, 1)),
    note           TEXT NOT NULL,
    added_at       BIGINT NOT NULL
);

-- Roots of the public list that do not count here.
CREATE TABLE distrusted (
    fingerprint TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    note        TEXT NOT NULL,
    since       BIGINT NOT NULL
);
