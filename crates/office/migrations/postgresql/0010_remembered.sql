-- Mail that must be known again, by salted digests alone: nothing of a mail can be read here.
-- kind: opened (by Message-ID), locked (a mail with a file that opens with a password), password (one that may give it);
-- digest: of the Message-ID, or of sender and recipient; about: digests of subject and Message-ID. Times are Unix seconds.

CREATE TABLE remembered (
    kind     TEXT NOT NULL,
    digest   BYTEA NOT NULL,
    about    BYTEA NOT NULL,
    until    BIGINT NOT NULL,
    PRIMARY KEY (kind, digest, about)
);

CREATE INDEX remembered_until ON remembered (until);

-- What is hashed with every digest; one row.
CREATE TABLE remembered_salt (
    salt BYTEA NOT NULL PRIMARY KEY
);
