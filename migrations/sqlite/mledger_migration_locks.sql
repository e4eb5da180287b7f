CREATE VIEW mledger_migration_locks AS
    -- Each time a run held the lock, who held it and how it ended. A holder that was replaced
    -- before it had recorded anything shows with the facts of the event that replaced it.
    WITH
        locks AS (
            SELECT *, json_extract(body, '$.token') AS token
            FROM mledger_migration_audit_log
            WHERE kind IN ('lock.acquired', 'lock.released', 'lock.broken')
        )
    SELECT
        acquired.seq, acquired.token, acquired.actor, acquired.host, acquired.env, acquired.run,
        acquired.time AS acquired_at,
        json_extract(acquired.body, '$.wait_ms') AS wait_ms,
        ended.time AS ended_at,
        CASE ended.kind
            WHEN 'lock.released' THEN 'released'
            WHEN 'lock.broken' THEN 'broken'
            ELSE 'open'
        END AS state,
        json_extract(ended.body, '$.held_ms') AS held_ms,
        json_extract(ended.body, '$.reason') AS reason,
        ended.actor AS ended_by
    FROM locks AS acquired
    LEFT JOIN locks AS ended ON ended.token = acquired.token AND ended.kind <> 'lock.acquired'
    WHERE acquired.kind = 'lock.acquired'
    UNION ALL
    SELECT
        seq, token,
        json_extract(body, '$.holder.actor'), json_extract(body, '$.holder.host'), env,
        json_extract(body, '$.holder.run'), json_extract(body, '$.holder.since'),
        NULL, time, 'broken', NULL, json_extract(body, '$.reason'), actor
    FROM locks
    WHERE kind = 'lock.broken'
        AND token NOT IN (SELECT token FROM locks WHERE kind = 'lock.acquired')
    ORDER BY seq;
