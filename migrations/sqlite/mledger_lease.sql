CREATE TABLE mledger_lease (
    -- The run lock, one row, free while `token` is NULL; and which database this is.
    only INTEGER PRIMARY KEY CHECK (only = 1),
    identity TEXT NOT NULL,
    token TEXT,
    actor TEXT,
    host TEXT,
    run TEXT,
    process TEXT,
    since_ms INTEGER,
    expires_ms INTEGER
) STRICT;
