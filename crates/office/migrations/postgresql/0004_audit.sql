-- The log of what was done (docs/audit.md). Times are Unix seconds, hashes are SHA-256.

CREATE TABLE audit (
    number   BIGINT PRIMARY KEY,
    at       BIGINT NOT NULL,
    node     TEXT NOT NULL,
    actor    TEXT NOT NULL,
    act      TEXT NOT NULL,
    subject  TEXT NOT NULL,
    details  TEXT NOT NULL,
    previous BYTEA NOT NULL,
    hash     BYTEA NOT NULL
);

CREATE INDEX audit_by_time ON audit (at);
CREATE INDEX audit_by_subject ON audit (subject, number);

-- One row: the last entry. Whoever appends reads and writes it in his transaction.
CREATE TABLE audit_head (
    only_one BIGINT PRIMARY KEY CHECK (only_one = 1),
    number   BIGINT NOT NULL,
    hash     BYTEA NOT NULL
);

INSERT INTO audit_head (only_one, number, hash) VALUES (1, 0, decode(repeat('00', 32), 'hex'));

CREATE FUNCTION audit_refuses() RETURNS trigger AS $$
BEGIN
    RAISE EXCEPTION 'the log is append-only';
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE OR DELETE ON audit
FOR EACH ROW EXECUTE FUNCTION audit_refuses();

CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuses();

CREATE FUNCTION audit_follows() RETURNS trigger AS $$
BEGIN
    IF NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM audit) THEN
        RAISE EXCEPTION 'the log is append-only';
    END IF;
    RETURN NEW;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER audit_has_no_gaps BEFORE INSERT ON audit
FOR EACH ROW EXECUTE FUNCTION audit_follows();

CREATE FUNCTION audit_head_follows() RETURNS trigger AS $$
BEGIN
    IF NEW.number < OLD.number OR NEW.number <> (SELECT coalesce(max(number), 0) FROM audit) THEN
        RAISE EXCEPTION 'the log is append-only';
    END IF;
    RETURN NEW;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER audit_head_goes_on BEFORE UPDATE ON audit_head
FOR EACH ROW EXECUTE FUNCTION audit_head_follows();

CREATE TRIGGER audit_head_stays BEFORE DELETE ON audit_head
FOR EACH ROW EXECUTE FUNCTION audit_refuses();

CREATE TRIGGER audit_head_is_not_emptied BEFORE TRUNCATE ON audit_head
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuses();

CREATE TRIGGER audit_head_is_one BEFORE INSERT ON audit_head
FOR EACH ROW EXECUTE FUNCTION audit_refuses();
