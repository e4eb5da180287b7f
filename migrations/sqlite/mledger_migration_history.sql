CREATE VIEW mledger_migration_history AS
    -- How each attempt at a migration ended, and what people decided about it. `name` is the one
    -- that the migration last started under.
    SELECT
        seq, time, version, substr(named, 21) AS name, substr(kind, 11) AS action, outcome,
        CASE kind
            WHEN 'migration.applied' THEN 'up'
            WHEN 'migration.rolled_back' THEN 'down'
            ELSE json_extract(body, '$.direction')
        END AS direction,
        json_extract(body, '$.as') AS marked_as,
        json_extract(body, '$.batch') AS batch,
        json_extract(body, '$.attempt') AS attempt,
        json_extract(body, '$.statements') AS statements,
        json_extract(body, '$.duration_ms') AS duration_ms,
        coalesce(
            json_extract(body, '$.checksum'), json_extract(body, '$.new_checksum')) AS checksum,
        json_extract(body, '$.script') AS script,
        json_extract(body, '$.clean') AS clean,
        json_extract(body, '$.error.message') AS error,
        coalesce(json_extract(body, '$.reason'), json_extract(body, '$.cause')) AS reason,
        actor, host, env, run
    FROM (
        SELECT
            *,
            max(printf('%020d', seq) || json_extract(body, '$.name')) OVER (
                PARTITION BY version ORDER BY seq
            ) AS named
        FROM (
            SELECT *, json_extract(body, '$.version') AS version
            FROM mledger_migration_audit_log
            WHERE kind GLOB 'migration.*'
        )
    )
    WHERE kind NOT IN (
        'migration.started', 'migration.step_applied', 'migration.step_resolved')
    ORDER BY seq;
