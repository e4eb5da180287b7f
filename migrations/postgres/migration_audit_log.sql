CREATE VIEW mledger.migration_audit_log AS
    -- Every event, in order.
    SELECT
        seq,
        line ->> 'time' AS time,
        line ->> 'kind' AS kind,
        line ->> 'outcome' AS outcome,
        line ->> 'actor' AS actor,
        line ->> 'host' AS host,
        line ->> 'env' AS env,
        line ->> 'run' AS run,
        line ->> 'tool' AS tool,
        line ->> 'key' AS key,
        line -> 'body' AS body,
        hash
    FROM (
        -- OFFSET 0: a line is read once, not once a column
        SELECT seq, mledger.event_body(line) AS line, encode(hash, 'hex') AS hash
        FROM mledger.events
        OFFSET 0
    ) AS events
    ORDER BY seq;
