CREATE OR REPLACE SQL SECURITY INVOKER VIEW mledger_migration_history AS
    -- How each attempt at a migration ended, and what people decided about it. `name` is the one
    -- that the migration last started under.
    SELECT
        seq, `time`, version, SUBSTR(named, 21) AS name, SUBSTR(kind, 11) AS action, outcome,
        CASE kind
            WHEN 'migration.applied' THEN 'up'
            WHEN 'migration.rolled_back' THEN 'down'
            ELSE JSON_UNQUOTE(JSON_EXTRACT(body, '$.direction'))
        END AS direction,
        JSON_UNQUOTE(JSON_EXTRACT(body, '$.as')) AS marked_as,
        CAST(JSON_UNQUOTE(JSON_EXTRACT(body, '$.batch')) AS SIGNED) AS batch,
        CAST(JSON_UNQUOTE(JSON_EXTRACT(body, '$.attempt')) AS SIGNED) AS attempt,
        CAST(JSON_UNQUOTE(JSON_EXTRACT(body, '$.statements')) AS SIGNED) AS statements,
        CAST(JSON_UNQUOTE(JSON_EXTRACT(body, '$.duration_ms')) AS SIGNED) AS duration_ms,
        COALESCE(
            JSON_UNQUOTE(JSON_EXTRACT(body, '$.checksum')),
            JSON_UNQUOTE(JSON_EXTRACT(body, '$.new_checksum'))) AS checksum,
        JSON_UNQUOTE(JSON_EXTRACT(body, '$.script')) AS script,
        JSON_UNQUOTE(JSON_EXTRACT(body, '$.clean')) = 'true' AS clean,
        JSON_UNQUOTE(JSON_EXTRACT(body, '$.error.message')) AS error,
        COALESCE(
            JSON_UNQUOTE(JSON_EXTRACT(body, '$.reason')),
            JSON_UNQUOTE(JSON_EXTRACT(body, '$.cause'))) AS reason,
        actor, host, env, run
    FROM (
        SELECT
            migrations.*,
            MAX(CONCAT(LPAD(seq, 20, '0'), JSON_UNQUOTE(JSON_EXTRACT(body, '$.name')))) OVER (
                PARTITION BY version ORDER BY seq
            ) AS named
        FROM (
            SELECT events.*, JSON_UNQUOTE(JSON_EXTRACT(body, '$.version')) AS version
            FROM mledger_migration_audit_log AS events
            WHERE kind LIKE 'migration.%'
        ) AS migrations
    ) AS attempts
    WHERE kind NOT IN (
        'migration.started', 'migration.step_applied', 'migration.step_resolved')
    ORDER BY seq;
