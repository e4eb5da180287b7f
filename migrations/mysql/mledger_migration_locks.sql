CREATE OR REPLACE SQL SECURITY INVOKER VIEW mledger_migration_locks AS
    -- Each time a run held the lock, who held it and how it ended. A holder that was replaced
    -- before it had recorded anything shows with the facts of the event that replaced it.
    WITH
        locks AS (
            SELECT events.*, JSON_UNQUOTE(JSON_EXTRACT(body, '$.token')) AS token
            FROM mledger_migration_audit_log AS events
            WHERE kind IN ('lock.acquired', 'lock.released', 'lock.broken')
        ),
        held AS (
            SELECT
                acquired.seq, acquired.token, acquired.actor, acquired.host, acquired.env,
                acquired.run, acquired.`time` AS acquired_at,
                CAST(JSON_UNQUOTE(JSON_EXTRACT(acquired.body, '$.wait_ms')) AS SIGNED) AS wait_ms,
                ended.`time` AS ended_at,
                CASE ended.kind
                    WHEN 'lock.released' THEN 'released'
                    WHEN 'lock.broken' THEN 'broken'
                    ELSE 'open'
                END AS state,
                CAST(JSON_UNQUOTE(JSON_EXTRACT(ended.body, '$.held_ms')) AS SIGNED) AS held_ms,
                JSON_UNQUOTE(JSON_EXTRACT(ended.body, '$.reason')) AS reason,
                ended.actor AS ended_by
            FROM locks AS acquired
            LEFT JOIN locks AS ended
                ON ended.token = acquired.token AND ended.kind <> 'lock.acquired'
            WHERE acquired.kind = 'lock.acquired'
            UNION ALL
            SELECT
                seq, token,
                JSON_UNQUOTE(JSON_EXTRACT(body, '$.holder.actor')) AS actor,
                JSON_UNQUOTE(JSON_EXTRACT(body, '$.holder.host')) AS host,
                env,
                JSON_UNQUOTE(JSON_EXTRACT(body, '$.holder.run')) AS run,
                JSON_UNQUOTE(JSON_EXTRACT(body, '$.holder.since')) AS acquired_at,
                NULL AS wait_ms,
                `time` AS ended_at,
                'broken' AS state,
                NULL AS held_ms,
                JSON_UNQUOTE(JSON_EXTRACT(body, '$.reason')) AS reason,
                actor AS ended_by
            FROM locks
            WHERE kind = 'lock.broken'
                AND token NOT IN (SELECT token FROM locks WHERE kind = 'lock.acquired')
        )
    SELECT * FROM held ORDER BY seq;
