-- Which of the own CA's certificates for its address and purpose it is, counted from 1; NULL for what came before this column,
-- what was taken in, and what was abandoned. Whoever finds that one is lacking asks for the next number after those that he
-- saw: of two who find it at once, on whatever nodes, one gets the row and the other learns that he was slower.
ALTER TABLE certificate ADD COLUMN ordinal BIGINT;
UPDATE certificate SET state = 'abandoned' WHERE state = 'begun';
CREATE UNIQUE INDEX certificate_by_ordinal ON certificate (address, purpose, ordinal);
