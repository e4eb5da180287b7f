CREATE VIEW mledger.backup_history AS
    -- Each backup that was taken or failed, and what happened to it since.
    WITH
        backups AS (
            SELECT *, body ->> 'backup' AS backup
            FROM mledger.migration_audit_log
            WHERE kind LIKE 'backup.%'
        ),
        later AS (
            SELECT
                backup,
                max(CASE kind WHEN 'backup.verified' THEN time END) AS verified_at,
                max(CASE kind WHEN 'backup.restored' THEN time END) AS restored_at,
                count(*) FILTER (WHERE kind = 'backup.restored') AS restores,
                max(CASE kind WHEN 'backup.accepted' THEN time END) AS accepted_at,
                max(CASE kind WHEN 'backup.removed' THEN time END) AS removed_at
            FROM backups
            GROUP BY backup
        )
    SELECT
        backups.seq,
        backups.backup,
        backups.body ->> 'name' AS name,
        backups.outcome,
        backups.time AS taken_at,
        backups.body ->> 'location' AS location,
        backups.body ->> 'method' AS method,
        CASE backups.body -> 'encrypted' WHEN 'true' THEN true WHEN 'false' THEN false END
            AS encrypted,
        CASE WHEN backups.body ->> 'size' ~ '^[0-9]+$' THEN (backups.body ->> 'size')::numeric END
            AS size,
        backups.body ->> 'sha256' AS sha256,
        mledger.event_number(backups.body -> 'ledger_size') AS ledger_size,
        mledger.event_number(backups.body -> 'duration_ms') AS duration_ms,
        backups.body ->> 'error' AS error,
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
