-- The own CA, its members, their keys and certificates. Times are Unix seconds.

-- id: SHA-256 over the SubjectPublicKeyInfo, in hexadecimal; sealed: PKCS#8 under the sealing key, bound to id.
CREATE TABLE private_key (
    id      TEXT PRIMARY KEY,
    label   TEXT NOT NULL,
    kind    TEXT NOT NULL,
    sealed  BYTEA NOT NULL,
    made_at BIGINT NOT NULL
);

CREATE TABLE authority (
    role        TEXT PRIMARY KEY CHECK (role IN ('root', 'issuing')),
    certificate BYTEA NOT NULL,
    key_id      TEXT NOT NULL REFERENCES private_key (id)
);

-- The domain stands in lower case, the local part as it was written.
CREATE TABLE member (
    address TEXT PRIMARY KEY,
    made_at BIGINT NOT NULL
);

-- A row is written before its certificate is signed ('begun'), so that none can exist that is not recorded here. One
-- that never got its signature is 'abandoned': its serial number is never used again.
CREATE TABLE certificate (
    serial      TEXT PRIMARY KEY,
    address     TEXT NOT NULL REFERENCES member (address),
    purpose     TEXT NOT NULL CHECK (purpose IN ('sign')),
    issuer_role TEXT NOT NULL REFERENCES authority (role),
    der         BYTEA,
    key_id      TEXT NOT NULL REFERENCES private_key (id),
    not_before  BIGINT NOT NULL,
    not_after   BIGINT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('begun', 'issued', 'abandoned')),
    made_at     BIGINT NOT NULL,
    CHECK ((state = 'issued') = (der IS NOT NULL))
);

CREATE INDEX certificate_by_address ON certificate (address, purpose, state);
