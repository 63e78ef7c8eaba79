-- The sealing key that every private key is sealed with: its identifier, of which nothing can be learnt about it. The row
-- is made when a vault is first opened.
CREATE TABLE sealing (
    only_one BIGINT PRIMARY KEY CHECK (only_one = 1),
    key_id   TEXT NOT NULL
);
