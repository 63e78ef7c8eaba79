-- Certificates of members from any issuer, the own CAs, what they publish, and requests that wait for a CA outside.

-- Every certificate of a member. A row of an own CA is written before its certificate is signed ('begun'), so that none can
-- exist that is not recorded here. One that never got its signature is 'abandoned': its serial number is never used again.
-- authority: which CA signed it. Of an own one the id in the table authority; of any other SHA-256 over the issuer's name in
--   DER, in hexadecimal. With the serial number it is one certificate; a certificate for several addresses has several rows.
-- issuer: by which of our ways to certificates it came: 'own', 'import', or the name of a CA with request files.
-- key_id: SHA-256 over the SubjectPublicKeyInfo; key_identifier: what the extension says, in hexadecimal.
-- chain: fingerprints of the certificates in issuer_certificate that travel with it, its issuer's first, one a line.
-- is_public: its path ends at a root of the public list.
-- list: on which of its CA's revocation lists it would stand.
-- revoked_at: the date that is told; noted_at: when it was recorded here.
CREATE TABLE certificate_of_any_issuer (
    authority         TEXT NOT NULL,
    serial            TEXT NOT NULL,
    address           TEXT NOT NULL REFERENCES member_address (address),
    issuer            TEXT NOT NULL,
    purpose           TEXT NOT NULL CHECK (purpose IN ('sign', 'encrypt', 'both')),
    state             TEXT NOT NULL CHECK (state IN ('begun', 'issued', 'imported', 'revoked', 'abandoned')),
    key_id            TEXT NOT NULL REFERENCES private_key (id),
    key_identifier    TEXT NOT NULL,
    der               BLOB,
    chain             TEXT NOT NULL,
    is_public         INTEGER NOT NULL CHECK (is_public IN (0, 1)),
    list              INTEGER NOT NULL,
    not_before        INTEGER NOT NULL,
    not_after         INTEGER NOT NULL,
    made_at           INTEGER NOT NULL,
    revoked_at        INTEGER,
    noted_at          INTEGER,
    revocation_reason INTEGER,
    PRIMARY KEY (authority, serial, address),
    CHECK ((state IN ('begun', 'abandoned')) = (der IS NULL)),
    CHECK ((state = 'revoked') = (revoked_at IS NOT NULL))
) STRICT;

INSERT INTO certificate_of_any_issuer
    SELECT issuer_role, serial, address, 'own', purpose, state, key_id, '', der, '', 0, 0, not_before, not_after, made_at,
           NULL, NULL, NULL
    FROM certificate;
DROP TABLE certificate;
ALTER TABLE certificate_of_any_issuer RENAME TO certificate;

CREATE INDEX certificate_by_address ON certificate (address, purpose, state);
CREATE INDEX certificate_by_serial ON certificate (serial);
CREATE INDEX certificate_by_key ON certificate (key_id);
CREATE INDEX certificate_by_key_identifier ON certificate (key_identifier);
CREATE INDEX certificate_by_end ON certificate (state, not_after);
CREATE INDEX certificate_by_list ON certificate (authority, state, list);

-- Certificates of CAs outside that travel with imported ones.
CREATE TABLE issuer_certificate (
    fingerprint TEXT PRIMARY KEY,
    der         BLOB NOT NULL,
    added_at    INTEGER NOT NULL
) STRICT;

-- The own CAs. key_id is NULL where the key lies elsewhere; is_anchor: readers of this house believe it.
CREATE TABLE own_authority (
    id          TEXT PRIMARY KEY,
    role        TEXT NOT NULL CHECK (role IN ('root', 'issuing')),
    parent      TEXT,
    certificate BLOB NOT NULL,
    key_id      TEXT REFERENCES private_key (id),
    is_anchor   INTEGER NOT NULL CHECK (is_anchor IN (0, 1)),
    state       TEXT NOT NULL CHECK (state IN ('current', 'retired')),
    made_at     INTEGER NOT NULL
) STRICT;

INSERT INTO own_authority
    SELECT role, role, CASE WHEN role = 'issuing' THEN 'root' ELSE NULL END, certificate, key_id,
           CASE WHEN role = 'root' THEN 1 ELSE 0 END, 'current',
           (SELECT made_at FROM private_key WHERE private_key.id = authority.key_id)
    FROM authority;
DROP TABLE authority;
ALTER TABLE own_authority RENAME TO authority;

-- What the own CAs signed about themselves and their OCSP responders; a row is written before the signature, as above.
CREATE TABLE authority_certificate (
    authority  TEXT NOT NULL,
    serial     TEXT NOT NULL,
    role       TEXT NOT NULL CHECK (role IN ('root', 'issuing', 'responder')),
    key_id     TEXT NOT NULL,
    der        BLOB,
    state      TEXT NOT NULL CHECK (state IN ('begun', 'issued')),
    not_before INTEGER NOT NULL,
    not_after  INTEGER NOT NULL,
    made_at    INTEGER NOT NULL,
    PRIMARY KEY (authority, serial),
    CHECK ((state = 'issued') = (der IS NOT NULL))
) STRICT;

CREATE INDEX authority_certificate_by_role ON authority_certificate (authority, role, state, not_after);

-- Revocation lists. The number is taken before the list is signed, and only grows.
CREATE TABLE revocation_list (
    authority   TEXT NOT NULL REFERENCES authority (id),
    list        INTEGER NOT NULL,
    number      INTEGER NOT NULL,
    this_update INTEGER NOT NULL,
    next_update INTEGER NOT NULL,
    der         BLOB,
    PRIMARY KEY (authority, list, number)
) STRICT;

-- The addresses under which the own CAs' lists were and are published: each list belongs to all of them, since certificates
-- that were issued before an address changed still name the old one.
CREATE TABLE publication (
    base  TEXT PRIMARY KEY,
    since INTEGER NOT NULL
) STRICT;

-- Requests for certificates that a CA outside makes: the key is here, the answer is awaited.
CREATE TABLE certificate_request (
    key_id     TEXT PRIMARY KEY REFERENCES private_key (id),
    issuer     TEXT NOT NULL,
    address    TEXT NOT NULL REFERENCES member_address (address),
    purpose    TEXT NOT NULL CHECK (purpose IN ('sign', 'encrypt', 'both')),
    state      TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'answered', 'refused', 'withdrawn')),
    request    BLOB NOT NULL,
    made_at    INTEGER NOT NULL,
    sent_at    INTEGER,
    trouble    TEXT NOT NULL,
    trouble_at INTEGER
) STRICT;

CREATE INDEX certificate_request_by_state ON certificate_request (issuer, state, made_at);
CREATE INDEX certificate_request_by_address ON certificate_request (address, purpose, state);
