CREATE OR REPLACE SQL SECURITY INVOKER VIEW mledger_migration_audit_log AS
    -- Every event, in order. A line that is not JSON any more shows with its seq and hash alone.
    SELECT
        seq,
        JSON_UNQUOTE(JSON_EXTRACT(line, '$.time')) AS `time`,
        JSON_UNQUOTE(JSON_EXTRACT(line, '$.kind')) AS kind,
        JSON_UNQUOTE(JSON_EXTRACT(line, '$.outcome')) AS outcome,
        JSON_UNQUOTE(JSON_EXTRACT(line, '$.actor')) AS actor,
        JSON_UNQUOTE(JSON_EXTRACT(line, '$.host')) AS host,
        JSON_UNQUOTE(JSON_EXTRACT(line, '$.env')) AS env,
        JSON_UNQUOTE(JSON_EXTRACT(line, '$.run')) AS run,
        JSON_UNQUOTE(JSON_EXTRACT(line, '$.tool')) AS tool,
        JSON_UNQUOTE(JSON_EXTRACT(line, '$.key')) AS `key`,
        JSON_EXTRACT(line, '$.body') AS body,
        hash
    FROM (
        SELECT
            seq,
            CASE WHEN JSON_VALID(line) THEN line END AS line,
            hash
        FROM (
            SELECT
                seq,
                CONVERT(line USING utf8mb4) COLLATE utf8mb4_bin AS line,
                LOWER(HEX(hash)) AS hash
            FROM mledger_events
        ) AS texts
    ) AS events
    ORDER BY seq;
