-- Work that is to be done at its time, by whichever node is there. A row with a node is being worked on, until its
-- deadline; lease counts who had it, so that a node that slept too long cannot end what another one took over.
CREATE TABLE job (
    kind       TEXT NOT NULL,
    subject    TEXT NOT NULL,
    due        BIGINT NOT NULL,
    every      BIGINT,
    attempts   BIGINT NOT NULL,
    last_error TEXT,
    lease      BIGINT NOT NULL,
    node       TEXT,
    deadline   BIGINT,
    made_at    BIGINT NOT NULL,
    PRIMARY KEY (kind, subject),
    CHECK ((node IS NULL) = (deadline IS NULL))
);

CREATE INDEX job_by_due ON job (due);
-- Orders to replace every certificate of an issuer that was made before the order.
CREATE TABLE replacement (
    issuer     TEXT PRIMARY KEY,
    ordered_at BIGINT NOT NULL,
    finish_by  BIGINT NOT NULL,
    rate       BIGINT,
    revokes    BIGINT NOT NULL CHECK (revokes IN (0, 1)),
    ended_at   BIGINT
);
