CREATE VIEW mledger.migration_history AS
    -- How each attempt at a migration ended, and what people decided about it. `name` is the one
    -- that the migration last started under.
    SELECT
        seq, time, version, substr(named, 21) AS name, substr(kind, 11) AS action, outcome,
        CASE kind
            WHEN 'migration.applied' THEN 'up'
            WHEN 'migration.rolled_back' THEN 'down'
            ELSE body ->> 'direction'
        END AS direction,
        body ->> 'as' AS marked_as,
        mledger.event_number(body -> 'batch') AS batch,
        mledger.event_number(body -> 'attempt') AS attempt,
        mledger.event_number(body -> 'statements') AS statements,
        mledger.event_number(body -> 'duration_ms') AS duration_ms,
        coalesce(body ->> 'checksum', body ->> 'new_checksum') AS checksum,
        body ->> 'script' AS script,
        CASE body -> 'clean' WHEN 'true' THEN true WHEN 'false' THEN false END AS clean,
        body #>> '{error,message}' AS error,
        coalesce(body ->> 'reason', body ->> 'cause') AS reason,
        actor, host, env, run
    FROM (
        SELECT
            *,
            max(lpad(seq::text, 20, '0') || (body ->> 'name') COLLATE "C") OVER (
                PARTITION BY version ORDER BY seq
            ) AS named
        FROM (
            SELECT *, body ->> 'version' AS version
            FROM mledger.migration_audit_log
            WHERE kind LIKE 'migration.%'
        ) AS events
    ) AS events
    WHERE kind NOT IN (
        'migration.started', 'migration.step_applied', 'migration.step_resolved')
    ORDER BY seq;
