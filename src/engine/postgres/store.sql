-- What is in the schema `mledger`, a row each: kind, name, and all that should be as it is made.
SELECT
    'table' AS kind, relname::text AS name,
    relkind::text || relpersistence::text || coalesce((
        SELECT string_agg(
            format(' %s %s%s', attname, format_type(atttypid, atttypmod),
                CASE WHEN attnotnull THEN ' not null' END),
            ',' ORDER BY attnum)
        FROM pg_attribute
        WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped), '') AS detail
FROM pg_class
WHERE relnamespace = to_regnamespace('mledger') AND relkind IN ('r', 'p', 'f', 'm', 'S')
UNION ALL
SELECT
    'view', relname::text,
    -- the definition as this server writes it, and what was noted of it when it was made
    current_setting('server_version_num')::integer / 10000 || ' '
        || encode(sha256(convert_to(pg_get_viewdef(oid), 'UTF8')), 'hex')
        || coalesce(' ' || obj_description(oid, 'pg_class'), '')
FROM pg_class
WHERE relnamespace = to_regnamespace('mledger') AND relkind = 'v'
UNION ALL
SELECT 'constraint', conname::text, format('%s %s %s', relname, contype, pg_get_constraintdef(pg_constraint.oid))
FROM pg_constraint
JOIN pg_class ON pg_class.oid = conrelid
WHERE relnamespace = to_regnamespace('mledger') AND relkind = 'r' AND contype <> 'n'
UNION ALL
SELECT
    'function', proname::text,
    format('%s %s %s %s', lanname, provolatile, prosecdef, array_to_string(proconfig, ';')) || E'\n' || prosrc
FROM pg_proc
JOIN pg_language ON pg_language.oid = prolang
WHERE pronamespace = to_regnamespace('mledger')
UNION ALL
SELECT
    'trigger', tgname::text,
    format('%s %s %s %s.%s', relname, tgtype, tgenabled, nspname, proname)
        || CASE WHEN tgqual IS NOT NULL OR tgnargs > 0 OR tgattr::text <> '' THEN ' limited' ELSE '' END
FROM pg_trigger
JOIN pg_class ON pg_class.oid = tgrelid
JOIN pg_proc ON pg_proc.oid = tgfoid
JOIN pg_namespace ON pg_namespace.oid = pronamespace
WHERE relnamespace = to_regnamespace('mledger') AND relkind = 'r' AND NOT tgisinternal
UNION ALL
SELECT 'rule', rulename::text, relname::text
FROM pg_rewrite
JOIN pg_class ON pg_class.oid = ev_class
WHERE relnamespace = to_regnamespace('mledger') AND relkind = 'r'
UNION ALL
SELECT 'rule', 'row security of ' || relname, relname::text
FROM pg_class
WHERE relnamespace = to_regnamespace('mledger') AND relkind = 'r' AND relrowsecurity
ORDER BY 1, 2, 3
