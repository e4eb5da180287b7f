CREATE VIEW mledger.migration_locks AS
    -- Each time a run held the lock, who held it and how it ended. A holder that was replaced
    -- before it had recorded anything shows with the facts of the event that replaced it.
    WITH
        locks AS (
            SELECT *, body ->> 'token' AS token
            FROM mledger.migration_audit_log
            WHERE kind IN ('lock.acquired', 'lock.released', 'lock.broken')
        )
    SELECT
        acquired.seq, acquired.token, acquired.actor, acquired.host, acquired.env, acquired.run,
        acquired.time AS acquired_at,
        mledger.event_number(acquired.body -> 'wait_ms') AS wait_ms,
        ended.time AS ended_at,
        CASE ended.kind
            WHEN 'lock.released' THEN 'released'
            WHEN 'lock.broken' THEN 'broken'
            ELSE 'open'
        END AS state,
        mledger.event_number(ended.body -> 'held_ms') AS held_ms,
        ended.body ->> 'reason' AS reason,
        ended.actor AS ended_by
    FROM locks AS acquired
    LEFT JOIN locks AS ended ON ended.token = acquired.token AND ended.kind <> 'lock.acquired'
    WHERE acquired.kind = 'lock.acquired'
    UNION ALL
    SELECT
        seq, token,
        body #>> '{holder,actor}', body #>> '{holder,host}', env,
        body #>> '{holder,run}', body #>> '{holder,since}',
        NULL, time, 'broken', NULL, body ->> 'reason', actor
    FROM locks
    WHERE kind = 'lock.broken'
        AND NOT EXISTS (
            SELECT 1 FROM locks AS acquired
            WHERE acquired.kind = 'lock.acquired' AND acquired.token = locks.token)
    ORDER BY seq;
