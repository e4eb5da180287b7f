WITH RECURSIVE named AS (
    SELECT c.oid AS root, pg_catalog.lower(c.relname::text COLLATE "C") AS name,
           pg_catalog.pg_table_is_visible(c.oid) AS visible
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE pg_catalog.lower(c.relname::text COLLATE "C") IN (/* names */)
      AND c.relkind IN ('r', 'p', 'm')
      AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'mledger')
),
members AS (
    SELECT root, root AS member FROM named
    UNION
    SELECT members.root, i.inhrelid
    FROM members JOIN pg_catalog.pg_inherits i ON i.inhparent = members.member
)
SELECT named.name,
       -- a table that was never analysed has no count; that of a partitioned one is in its partitions
       CASE WHEN pg_catalog.bool_or(c.reltuples < 0 OR (c.reltuples = 0 AND c.relpages = 0
                                    AND pg_catalog.pg_relation_size(c.oid) > 0))
                 FILTER (WHERE c.relkind <> 'p') IS NOT TRUE
            THEN COALESCE(pg_catalog.sum(c.reltuples) FILTER (WHERE c.relkind <> 'p'), 0)::bigint
       END AS rows,
       COALESCE(pg_catalog.sum(pg_catalog.pg_total_relation_size(c.oid)), 0)::bigint AS bytes
FROM named
JOIN members ON members.root = named.root
JOIN pg_catalog.pg_class c ON c.oid = members.member
GROUP BY named.root, named.name, named.visible
ORDER BY named.visible, bytes
