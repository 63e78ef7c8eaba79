-- Who the members are. Until here an address was a member; from here on it belongs to one.

ALTER TABLE member RENAME TO member_address;

-- left_at may lie ahead: he leaves then. Rows are never taken out, since mail that was sealed to a member must stay
-- readable.
CREATE TABLE member (
    id        TEXT PRIMARY KEY,
    number    TEXT UNIQUE,
    name      TEXT NOT NULL,
    kind      TEXT NOT NULL CHECK (kind IN ('person', 'role')),
    unit      TEXT NOT NULL,
    source    TEXT NOT NULL CHECK (source IN ('first mail', 'table', 'command')),
    left_at   INTEGER,
    left_note TEXT NOT NULL,
    made_at   INTEGER NOT NULL
) STRICT;

CREATE INDEX member_by_unit ON member (unit);
CREATE INDEX member_by_leaving ON member (left_at);

INSERT INTO member (id, name, kind, unit, source, left_note, made_at)
    SELECT lower(address), '', 'person', '', 'first mail', '', min(made_at)
    FROM member_address GROUP BY lower(address);

-- folded: the form by which addresses are compared (members::folded). A 'former' address was given up: its certificates
-- stay, and it is nobody's. The columns may be null for SQLite's sake alone.
ALTER TABLE member_address ADD COLUMN member_id TEXT REFERENCES member (id);
ALTER TABLE member_address ADD COLUMN used TEXT NOT NULL DEFAULT 'further'
    CHECK (used IN ('primary', 'further', 'tagged', 'former'));
ALTER TABLE member_address ADD COLUMN folded TEXT;

UPDATE member_address SET member_id = lower(address);
-- Addresses that differ in case alone are one from now on; the first of them counts.
UPDATE member_address SET folded = lower(address), used = 'primary'
    WHERE address IN (SELECT min(address) FROM member_address GROUP BY lower(address));

CREATE UNIQUE INDEX member_address_folded ON member_address (folded);
CREATE INDEX member_address_by_member ON member_address (member_id);
CREATE UNIQUE INDEX member_address_primary ON member_address (member_id) WHERE used = 'primary';
