CREATE TABLE IF NOT EXISTS mledger_events (
    -- The ledger: one row an event, never changed. `line` and `signature` are the truth;
    -- the other columns are found in them again and serve as keys.
    seq BIGINT NOT NULL PRIMARY KEY,
    line LONGBLOB NOT NULL,
    signature VARBINARY(64) NOT NULL CHECK (LENGTH(signature) = 64),
    prev VARBINARY(32) NOT NULL UNIQUE CHECK (LENGTH(prev) = 32),
    hash VARBINARY(32) NOT NULL UNIQUE CHECK (LENGTH(hash) = 32)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4;
