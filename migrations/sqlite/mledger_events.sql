CREATE TABLE mledger_events (
    -- The ledger: one row an event, never changed. `line` and `signature` are the truth;
    -- the other columns are found in them again and serve as keys.
    seq INTEGER PRIMARY KEY,
    line BLOB NOT NULL,
    signature BLOB NOT NULL CHECK (length(signature) = 64),
    prev BLOB NOT NULL UNIQUE CHECK (length(prev) = 32),
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32)
) STRICT;
