-- Work that is to be done at its time, by whichever node is there. A row with a node is being worked on, until its
-- deadline; lease counts who had it, so that a node that slept too long cannot end what another one took over.
CREATE TABLE job (
    kind       TEXT NOT NULL,
    subject    TEXT NOT NULL,
    due        INTEGER NOT NULL,
    every      INTEGER,
    attempts   INTEGER NOT NULL,
    last_error TEXT,
    lease      INTEGER NOT NULL,
    node       TEXT,
    deadline   INTEGER,
    made_at    INTEGER NOT NULL,
    PRIMARY KEY (kind, subject),
    CHECK ((node IS NULL) = (deadline IS NULL))
) STRICT;

CREATE INDEX job_by_due ON job (due);
-- Orders to replace every certificate of an issuer that was made before the order.
CREATE TABLE replacement (
    issuer     TEXT PRIMARY KEY,
    ordered_at INTEGER NOT NULL,
    finish_by  INTEGER NOT NULL,
    rate       INTEGER,
    revokes    INTEGER NOT NULL CHECK (revokes IN (0, 1)),
    ended_at   INTEGER
) STRICT;
