CREATE TABLE mledger.lease (
    -- The run lock, one row, free while `token` is NULL; and which database this is.
    id integer NOT NULL,
    identity text NOT NULL,
    token text,
    actor text,
    host text,
    run text,
    process text,
    session text,
    since_ms bigint,
    expires_ms bigint,
    CONSTRAINT lease_pkey PRIMARY KEY (id),
    CONSTRAINT lease_id_check CHECK (id = 1)
);
