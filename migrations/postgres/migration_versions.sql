CREATE VIEW mledger.migration_versions AS
    -- Each version that the ledger knows and its state: applied, rolled_back, pending, failed
    -- (nothing of it remains), partial (a part of it does) or started (running, or not yet settled
    -- after a crash). Where a backup was restored, events between the backup and the restore do not
    -- count. What a takeover from another tool or a squash covers has no rows of its own.
    WITH RECURSIVE
        log AS MATERIALIZED (
            SELECT * FROM mledger.migration_audit_log
        ),
        restores (seq, size) AS (
            SELECT restored.seq, mledger.event_number(taken.body -> 'ledger_size')
            FROM log AS restored
            JOIN log AS taken ON taken.body ->> 'backup' = restored.body ->> 'backup'
            WHERE restored.kind = 'backup.restored' AND taken.kind = 'backup.taken'
        ),
        voided (until, since) AS (
            -- from the last restore backwards: one that a later one undid does not count either
            (SELECT seq, size FROM restores ORDER BY seq DESC LIMIT 1)
            UNION ALL
            SELECT restores.seq, restores.size
            FROM voided
            JOIN restores
                ON restores.seq = (
                    SELECT max(earlier.seq) FROM restores AS earlier
                    WHERE earlier.seq < voided.since)
        ),
        events AS (
            SELECT *, body ->> 'version' AS version
            FROM log
            WHERE kind LIKE 'migration.%'
                AND NOT EXISTS (
                    SELECT 1 FROM voided
                    WHERE log.seq >= voided.since AND log.seq < voided.until)
        ),
        named AS (
            SELECT DISTINCT ON (version) version, body ->> 'name' AS name
            FROM events
            WHERE body ->> 'name' IS NOT NULL
            ORDER BY version, seq DESC
        ),
        settled AS (
            SELECT DISTINCT ON (version)
                version, seq, time, actor, run, body,
                CASE kind
                    WHEN 'migration.applied' THEN 'applied'
                    WHEN 'migration.rolled_back' THEN 'rolled_back'
                    ELSE body ->> 'as'
                END AS state
            FROM events
            WHERE kind IN ('migration.applied', 'migration.rolled_back', 'migration.marked')
            ORDER BY version, seq DESC
        ),
        latest AS (
            SELECT DISTINCT ON (version)
                version, seq, time, actor, run, kind, body -> 'clean' AS clean
            FROM events
            WHERE kind <> 'migration.accepted'
            ORDER BY version, seq DESC
        ),
        releases AS (
            SELECT
                body ->> 'migration' AS version,
                string_agg(body ->> 'release', ', ' ORDER BY seq) AS releases
            FROM log
            WHERE kind = 'version.tagged'
            GROUP BY body ->> 'migration'
        )
    SELECT
        latest.version,
        named.name,
        CASE
            WHEN latest.kind IN ('migration.started', 'migration.step_applied') THEN 'started'
            WHEN latest.kind = 'migration.step_resolved' THEN 'partial'
            WHEN latest.kind = 'migration.failed' AND latest.clean = 'false' THEN 'partial'
            WHEN latest.kind = 'migration.failed' AND settled.state IS DISTINCT FROM 'applied'
                THEN 'failed'
            ELSE coalesce(settled.state, 'pending')
        END AS state,
        CASE settled.state WHEN 'applied' THEN settled.time END AS applied_at,
        CASE settled.state WHEN 'applied' THEN settled.actor END AS applied_by,
        CASE settled.state WHEN 'applied' THEN settled.run END AS applied_in_run,
        CASE settled.state
            WHEN 'applied' THEN mledger.event_number(settled.body -> 'batch')
        END AS batch,
        CASE settled.state
            WHEN 'applied' THEN mledger.event_number(settled.body -> 'duration_ms')
        END AS duration_ms,
        CASE settled.state WHEN 'applied' THEN settled.body ->> 'checksum' END AS checksum,
        releases.releases,
        latest.seq AS last_seq,
        latest.time AS last_event_at
    FROM latest
    LEFT JOIN settled ON settled.version = latest.version
    LEFT JOIN named ON named.version = latest.version
    LEFT JOIN releases ON releases.version = latest.version
    ORDER BY length(latest.version), latest.version COLLATE "C";
