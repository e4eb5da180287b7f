CREATE VIEW mledger_migration_versions AS
    -- Each version that the ledger knows and its state: applied, rolled_back, pending, failed
    -- (nothing of it remains), partial (a part of it does) or started (running, or not yet settled
    -- after a crash). Where a backup was restored, events between the backup and the restore do not
    -- count. What a takeover from another tool or a squash covers has no rows of its own.
    WITH RECURSIVE
        restores (seq, size) AS (
            SELECT restored.seq, json_extract(taken.body, '$.ledger_size')
            FROM mledger_migration_audit_log AS restored
            JOIN mledger_migration_audit_log AS taken
                ON json_extract(taken.body, '$.backup') = json_extract(restored.body, '$.backup')
            WHERE restored.kind = 'backup.restored' AND taken.kind = 'backup.taken'
        ),
        voided (until, since) AS (
            -- from the last restore backwards: one that a later one undid does not count either
            SELECT seq, size FROM (SELECT seq, size FROM restores ORDER BY seq DESC LIMIT 1)
            UNION ALL
            SELECT restores.seq, restores.size
            FROM voided
            JOIN restores
                ON restores.seq = (SELECT max(seq) FROM restores WHERE seq < voided.since)
        ),
        events AS (
            SELECT *, json_extract(body, '$.version') AS version
            FROM mledger_migration_audit_log
            WHERE kind GLOB 'migration.*'
                AND NOT EXISTS (
                    SELECT 1 FROM voided WHERE seq >= voided.since AND seq < voided.until)
        ),
        -- with max(), the other columns are those of the row that holds the maximum
        named AS (
            SELECT version, max(seq), json_extract(body, '$.name') AS name
            FROM events
            WHERE json_extract(body, '$.name') IS NOT NULL
            GROUP BY version
        ),
        settled AS (
            SELECT
                version, max(seq) AS seq, time, actor, run, body,
                CASE kind
                    WHEN 'migration.applied' THEN 'applied'
                    WHEN 'migration.rolled_back' THEN 'rolled_back'
                    ELSE json_extract(body, '$.as')
                END AS state
            FROM events
            WHERE kind IN ('migration.applied', 'migration.rolled_back', 'migration.marked')
            GROUP BY version
        ),
        latest AS (
            SELECT
                version, max(seq) AS seq, time, actor, run, kind,
                json_extract(body, '$.clean') AS clean
            FROM events
            WHERE kind <> 'migration.accepted'
            GROUP BY version
        ),
        releases AS (
            SELECT
                json_extract(body, '$.migration') AS version,
                group_concat(json_extract(body, '$.release'), ', ') AS releases
            FROM mledger_migration_audit_log
            WHERE kind = 'version.tagged'
            GROUP BY json_extract(body, '$.migration')
        )
    SELECT
        latest.version,
        named.name,
        CASE
            WHEN latest.kind IN ('migration.started', 'migration.step_applied') THEN 'started'
            WHEN latest.kind = 'migration.step_resolved' THEN 'partial'
            WHEN latest.kind = 'migration.failed' AND latest.clean = 0 THEN 'partial'
            WHEN latest.kind = 'migration.failed' AND settled.state IS NOT 'applied' THEN 'failed'
            ELSE coalesce(settled.state, 'pending')
        END AS state,
        CASE settled.state WHEN 'applied' THEN settled.time END AS applied_at,
        CASE settled.state WHEN 'applied' THEN settled.actor END AS applied_by,
        CASE settled.state WHEN 'applied' THEN settled.run END AS applied_in_run,
        CASE settled.state WHEN 'applied' THEN json_extract(settled.body, '$.batch') END AS batch,
        CASE settled.state
            WHEN 'applied' THEN json_extract(settled.body, '$.duration_ms')
        END AS duration_ms,
        CASE settled.state
            WHEN 'applied' THEN json_extract(settled.body, '$.checksum')
        END AS checksum,
        releases.releases,
        latest.seq AS last_seq,
        latest.time AS last_event_at
    FROM latest
    LEFT JOIN settled ON settled.version = latest.version
    LEFT JOIN named ON named.version = latest.version
    LEFT JOIN releases ON releases.version = latest.version
    ORDER BY length(latest.version), latest.version;
