-- Certificates of correspondents. Times are Unix seconds; fingerprints are SHA-256 over the certificate, in hexadecimal.

-- The domain stands in A-labels and lower case; an empty local part means everybody in the domain. folded: the local part
-- in ASCII lower case. issuer_hash: SHA-256 over the issuer's name in DER. signed_at: the newest signing time under which
-- the owner told of it; capabilities: what he said then that he reads, DER. anchor and class: under which anchor it was
-- taken, and what was checked about the owner.
CREATE TABLE correspondent (
    domain       TEXT NOT NULL,
    folded       TEXT NOT NULL,
    local        TEXT NOT NULL,
    fingerprint  TEXT NOT NULL,
    issuer_hash  TEXT NOT NULL,
    serial       TEXT NOT NULL,
    certificate  BYTEA NOT NULL,
    source       TEXT NOT NULL CHECK (source IN ('harvested', 'imported', 'http', 'smimea', 'ldap')),
    state        TEXT NOT NULL CHECK (state IN ('active', 'pending', 'retired', 'blocked')),
    pinned       BIGINT NOT NULL CHECK (pinned IN (0, 1)),
    first_seen   BIGINT NOT NULL,
    last_seen    BIGINT NOT NULL,
    signed_at    BIGINT,
    capabilities BYTEA,
    anchor       TEXT NOT NULL,
    class        TEXT NOT NULL,
    note         TEXT NOT NULL,
    PRIMARY KEY (domain, folded, local, fingerprint)
);

CREATE INDEX correspondent_by_fingerprint ON correspondent (fingerprint);
CREATE INDEX correspondent_by_issuer ON correspondent (issuer_hash, serial);
-- Few wait, or are out, among a million that are in use.
CREATE INDEX correspondent_by_state ON correspondent (state, domain, folded, local, fingerprint) WHERE state <> 'active';

-- How many there are, so that no count reads a million rows: of a domain those that nobody chose; under '' all of them.
CREATE TABLE correspondent_count (
    domain  TEXT PRIMARY KEY,
    entries BIGINT NOT NULL
);

-- Certificates of CAs that lie between those of correspondents and an anchor; believed for nothing. name: a number that
-- equal names share, in hexadecimal.
CREATE TABLE correspondent_issuer (
    fingerprint TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    certificate BYTEA NOT NULL,
    first_seen  BIGINT NOT NULL
);

CREATE INDEX correspondent_issuer_by_name ON correspondent_issuer (name);
