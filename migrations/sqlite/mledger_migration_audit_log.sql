CREATE VIEW mledger_migration_audit_log AS
    -- Every event, in order. A line that is not JSON any more shows with its seq and hash alone.
    SELECT
        seq,
        json_extract(line, '$.time') AS time,
        json_extract(line, '$.kind') AS kind,
        json_extract(line, '$.outcome') AS outcome,
        json_extract(line, '$.actor') AS actor,
        json_extract(line, '$.host') AS host,
        json_extract(line, '$.env') AS env,
        json_extract(line, '$.run') AS run,
        json_extract(line, '$.tool') AS tool,
        json_extract(line, '$.key') AS key,
        json_extract(line, '$.body') AS body,
        hash
    FROM (
        SELECT
            seq,
            CASE WHEN json_valid(CAST(line AS TEXT)) THEN CAST(line AS TEXT) END AS line,
            lower(hex(hash)) AS hash
        FROM mledger_events
    )
    ORDER BY seq;
