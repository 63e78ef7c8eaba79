-- An own CA is taken back. revoked_at: the date that is told; noted_at: when it was recorded here.
ALTER TABLE authority_certificate ADD COLUMN revoked_at INTEGER;
ALTER TABLE authority_certificate ADD COLUMN noted_at INTEGER;
ALTER TABLE authority_certificate ADD COLUMN revocation_reason INTEGER;
