WITH
    ours AS (
        SELECT oid FROM pg_namespace
        WHERE nspname <> 'mledger' AND nspname <> 'information_schema' AND nspname !~ '^pg_'
    ),
    members AS MATERIALIZED (
        SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
    )
SELECT 'server' AS kind, '' AS name,
    (current_setting('server_version_num')::integer / 10000)::text AS definition
