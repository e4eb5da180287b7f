CREATE OR REPLACE SQL SECURITY INVOKER VIEW mledger_backup_history AS
    -- Each backup that was taken or failed, and what happened to it since.
    WITH
        backups AS (
            SELECT events.*, JSON_UNQUOTE(JSON_EXTRACT(body, '$.backup')) AS `backup`
            FROM mledger_migration_audit_log AS events
            WHERE kind LIKE 'backup.%'
        ),
        later AS (
            SELECT
                `backup`,
                MAX(CASE kind WHEN 'backup.verified' THEN `time` END) AS verified_at,
                MAX(CASE kind WHEN 'backup.restored' THEN `time` END) AS restored_at,
                SUM(kind = 'backup.restored') AS restores,
                MAX(CASE kind WHEN 'backup.accepted' THEN `time` END) AS accepted_at,
                MAX(CASE kind WHEN 'backup.removed' THEN `time` END) AS removed_at
            FROM backups
            GROUP BY `backup`
        )
    SELECT
        backups.seq,
        backups.`backup`,
        JSON_UNQUOTE(JSON_EXTRACT(backups.body, '$.name')) AS name,
        backups.outcome,
        backups.`time` AS taken_at,
        JSON_UNQUOTE(JSON_EXTRACT(backups.body, '$.location')) AS location,
        JSON_UNQUOTE(JSON_EXTRACT(backups.body, '$.method')) AS method,
        JSON_UNQUOTE(JSON_EXTRACT(backups.body, '$.encrypted')) = 'true' AS encrypted,
        CAST(JSON_UNQUOTE(JSON_EXTRACT(backups.body, '$.size')) AS SIGNED) AS size,
        JSON_UNQUOTE(JSON_EXTRACT(backups.body, '$.sha256')) AS sha256,
        CAST(JSON_UNQUOTE(JSON_EXTRACT(backups.body, '$.ledger_size')) AS SIGNED) AS ledger_size,
        CAST(JSON_UNQUOTE(JSON_EXTRACT(backups.body, '$.duration_ms')) AS SIGNED) AS duration_ms,
        JSON_UNQUOTE(JSON_EXTRACT(backups.body, '$.error')) AS error,
        later.verified_at,
        later.restored_at,
        COALESCE(later.restores, 0) AS restores,
        later.accepted_at,
        later.removed_at,
        backups.actor, backups.host, backups.env, backups.run
    FROM backups
    LEFT JOIN later ON later.`backup` = backups.`backup`
    WHERE backups.kind IN ('backup.taken', 'backup.failed')
    ORDER BY backups.seq;
