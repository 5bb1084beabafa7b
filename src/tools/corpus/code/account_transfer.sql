-- Move money between two accounts; both updates happen or neither does.
CREATE TABLE accounts (
    id     INTEGER PRIMARY KEY,
    owner  TEXT NOT NULL,
    cents  INTEGER NOT NULL CHECK (cents >= 0)
);

INSERT INTO accounts (id, owner, cents) VALUES
    (1, 'Noor', 50000),
    (2, 'Piet', 12000);

BEGIN;

UPDATE accounts SET cents = cents - 7500 WHERE id = 1;
UPDATE accounts SET cents = cents + 7500 WHERE id = 2;

COMMIT;

SELECT owner, cents FROM accounts ORDER BY id;  -- Noor 42500, Piet 19500
