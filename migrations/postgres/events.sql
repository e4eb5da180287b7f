CREATE TABLE mledger.events (
    -- The ledger: one row an event, never changed. `line` and `signature` are the truth;
    -- the other columns are found in them again and serve as keys.
    seq bigint NOT NULL,
    line bytea NOT NULL,
    signature bytea NOT NULL,
    prev bytea NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT events_pkey PRIMARY KEY (seq),
    CONSTRAINT events_prev_key UNIQUE (prev),
    CONSTRAINT events_hash_key UNIQUE (hash),
    CONSTRAINT events_signature_check CHECK (octet_length(signature) = 64),
    CONSTRAINT events_prev_check CHECK (octet_length(prev) = 32),
    CONSTRAINT events_hash_check CHECK (octet_length(hash) = 32)
);
