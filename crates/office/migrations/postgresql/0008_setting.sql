-- The settings that a node had when it looked last; digest: SHA-256 over the value, in hexadecimal.

CREATE TABLE setting_seen (
    node   TEXT NOT NULL,
    name   TEXT NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (node, name)
);
