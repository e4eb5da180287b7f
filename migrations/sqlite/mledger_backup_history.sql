CREATE VIEW mledger_backup_history AS
    -- Each backup that was taken or failed, and what happened to it since.
    WITH
        backups AS (
            SELECT *, json_extract(body, '$.backup') AS backup
            FROM mledger_migration_audit_log
            WHERE kind GLOB 'backup.*'
        ),
        later AS (
            SELECT
                backup,
                max(CASE kind WHEN 'backup.verified' THEN time END) AS verified_at,
                max(CASE kind WHEN 'backup.restored' THEN time END) AS restored_at,
                sum(kind = 'backup.restored') AS restores,
                max(CASE kind WHEN 'backup.accepted' THEN time END) AS accepted_at,
                max(CASE kind WHEN 'backup.removed' THEN time END) AS removed_at
            FROM backups
            GROUP BY backup
        )
    SELECT
        backups.seq,
        backups.backup,
        json_extract(backups.body, '$.name') AS name,
        backups.outcome,
        backups.time AS taken_at,
        json_extract(backups.body, '$.location') AS location,
        json_extract(backups.body, '$.method') AS method,
        json_extract(backups.body, '$.encrypted') AS encrypted,
        CAST(json_extract(backups.body, '$.size') AS INTEGER) AS size,
        json_extract(backups.body, '$.sha256') AS sha256,
        json_extract(backups.body, '$.ledger_size') AS ledger_size,
        json_extract(backups.body, '$.duration_ms') AS duration_ms,
        json_extract(backups.body, '$.error') AS error,
        later.verified_at,
        later.restored_at,
        coalesce(later.restores, 0) AS restores,
        later.accepted_at,
        later.removed_at,
        backups.actor, backups.host, backups.env, backups.run
    FROM backups
    LEFT JOIN later ON later.backup = backups.backup
    WHERE backups.kind IN ('backup.taken', 'backup.failed')
    ORDER BY backups.seq;
