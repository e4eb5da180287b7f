CREATE OR REPLACE SQL SECURITY INVOKER VIEW mledger_migration_versions AS
    -- Each version that the ledger knows and its state: applied, rolled_back, pending, failed
    -- (nothing of it remains), partial (a part of it does) or started (running, or not yet settled
    -- after a crash). Where a backup was restored, events between the backup and the restore do not
    -- count. What a takeover from another tool or a squash covers has no rows of its own.
    WITH RECURSIVE
        restores AS (
            SELECT
                restored.seq,
                CAST(JSON_UNQUOTE(JSON_EXTRACT(taken.body, '$.ledger_size')) AS SIGNED) AS size
            FROM mledger_migration_audit_log AS restored
            JOIN mledger_migration_audit_log AS taken
                ON JSON_UNQUOTE(JSON_EXTRACT(taken.body, '$.backup'))
                    = JSON_UNQUOTE(JSON_EXTRACT(restored.body, '$.backup'))
            WHERE restored.kind = 'backup.restored' AND taken.kind = 'backup.taken'
        ),
        reachable AS (
            -- the latest restore whose seq is below the size of the backup of another one
            SELECT later.seq, MAX(earlier.seq) AS counts
            FROM restores AS later
            JOIN restores AS earlier ON earlier.seq < later.size
            GROUP BY later.seq
        ),
        voided AS (
            -- from the last restore backwards: one that a later one undid does not count either
            SELECT seq AS until_seq, size AS since_seq
            FROM restores
            WHERE seq = (SELECT MAX(seq) FROM restores)
            UNION ALL
            SELECT restores.seq, restores.size
            FROM voided
            JOIN reachable ON reachable.seq = voided.until_seq
            JOIN restores ON restores.seq = reachable.counts
        ),
        events AS (
            SELECT log.*, JSON_UNQUOTE(JSON_EXTRACT(body, '$.version')) AS version
            FROM mledger_migration_audit_log AS log
            WHERE kind LIKE 'migration.%'
                AND NOT EXISTS (
                    SELECT 1 FROM voided
                    WHERE log.seq >= voided.since_seq AND log.seq < voided.until_seq)
        ),
        named AS (
            SELECT
                version,
                SUBSTR(
                    MAX(CONCAT(
                        LPAD(seq, 20, '0'), JSON_UNQUOTE(JSON_EXTRACT(body, '$.name')))),
                    21) AS name
            FROM events
            GROUP BY version
        ),
        settled AS (
            SELECT
                version, `time`, actor, run, body,
                CASE kind
                    WHEN 'migration.applied' THEN 'applied'
                    WHEN 'migration.rolled_back' THEN 'rolled_back'
                    ELSE JSON_UNQUOTE(JSON_EXTRACT(body, '$.as'))
                END AS state,
                ROW_NUMBER() OVER (PARTITION BY version ORDER BY seq DESC) AS place
            FROM events
            WHERE kind IN ('migration.applied', 'migration.rolled_back', 'migration.marked')
        ),
        latest AS (
            SELECT
                version, seq, `time`, kind,
                JSON_UNQUOTE(JSON_EXTRACT(body, '$.clean')) AS clean,
                ROW_NUMBER() OVER (PARTITION BY version ORDER BY seq DESC) AS place
            FROM events
            WHERE kind <> 'migration.accepted'
        ),
        releases AS (
            SELECT
                JSON_UNQUOTE(JSON_EXTRACT(body, '$.migration')) AS version,
                GROUP_CONCAT(
                    JSON_UNQUOTE(JSON_EXTRACT(body, '$.release')) ORDER BY seq SEPARATOR ', '
                ) AS releases
            FROM mledger_migration_audit_log
            WHERE kind = 'version.tagged'
            GROUP BY JSON_UNQUOTE(JSON_EXTRACT(body, '$.migration'))
        )
    SELECT
        latest.version,
        named.name,
        CASE
            WHEN latest.kind IN ('migration.started', 'migration.step_applied') THEN 'started'
            WHEN latest.kind = 'migration.step_resolved' THEN 'partial'
            WHEN latest.kind = 'migration.failed' AND latest.clean = 'false' THEN 'partial'
            WHEN latest.kind = 'migration.failed' AND COALESCE(settled.state, '') <> 'applied'
            THEN 'failed'
            ELSE COALESCE(settled.state, 'pending')
        END AS state,
        CASE settled.state WHEN 'applied' THEN settled.`time` END AS applied_at,
        CASE settled.state WHEN 'applied' THEN settled.actor END AS applied_by,
        CASE settled.state WHEN 'applied' THEN settled.run END AS applied_in_run,
        CASE settled.state
            WHEN 'applied'
            THEN CAST(JSON_UNQUOTE(JSON_EXTRACT(settled.body, '$.batch')) AS SIGNED)
        END AS batch,
        CASE settled.state
            WHEN 'applied'
            THEN CAST(JSON_UNQUOTE(JSON_EXTRACT(settled.body, '$.duration_ms')) AS SIGNED)
        END AS duration_ms,
        CASE settled.state
            WHEN 'applied' THEN JSON_UNQUOTE(JSON_EXTRACT(settled.body, '$.checksum'))
        END AS checksum,
        releases.releases,
        latest.seq AS last_seq,
        latest.`time` AS last_event_at
    FROM latest
    LEFT JOIN settled ON settled.version = latest.version AND settled.place = 1
    LEFT JOIN named ON named.version = latest.version
    LEFT JOIN releases ON releases.version = latest.version
    WHERE latest.place = 1
    ORDER BY CHAR_LENGTH(latest.version), latest.version;
