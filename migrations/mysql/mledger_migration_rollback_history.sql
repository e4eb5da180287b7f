CREATE OR REPLACE SQL SECURITY INVOKER VIEW mledger_migration_rollback_history AS
    -- Each attempt to roll a migration back: done, failed or abandoned, and what it undid.
    WITH
        history AS (
            SELECT
                attempts.*,
                MAX(CASE action WHEN 'applied' THEN seq END) OVER (
                    PARTITION BY version ORDER BY seq
                ) AS undid_seq
            FROM mledger_migration_history AS attempts
        )
    SELECT
        history.seq, history.`time`, history.version, history.name, history.action,
        history.outcome, history.reason, history.error, history.clean, history.duration_ms,
        history.script, history.actor, history.host, history.env, history.run,
        applied.seq AS applied_seq,
        applied.`time` AS applied_at,
        applied.actor AS applied_by,
        applied.batch AS applied_in_batch
    FROM history
    LEFT JOIN mledger_migration_history AS applied ON applied.seq = history.undid_seq
    WHERE history.direction = 'down'
    ORDER BY history.seq;
