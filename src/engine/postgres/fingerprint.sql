-- Every definition of the database, a row each: kind, name, text.
--
-- Left out are the system's schemas, ours, what belongs to an extension (its version stands for it),
-- what a partition has from its parent, owners, grants, tablespaces and counters: a copy of the schema
-- in another cluster has others, and it is the same schema.
WITH
    schemas AS MATERIALIZED (
        SELECT oid, nspname FROM pg_namespace
        WHERE nspname <> 'mledger' AND nspname <> 'information_schema' AND nspname !~ '^pg_'
    ),
    members AS MATERIALIZED (
        SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
    ),
    relations AS MATERIALIZED (
        SELECT c.*, format('%I.%I', nspname, relname) AS name
        FROM pg_class AS c
        JOIN schemas ON schemas.oid = relnamespace
        WHERE NOT EXISTS (
            SELECT 1 FROM members WHERE classid = 'pg_class'::regclass AND objid = c.oid)
    ),
    columns AS (
        SELECT
            attrelid,
            string_agg(
                format('%I %s%s%s%s%s%s', attname, format_type(atttypid, atttypmod),
                    CASE WHEN attcollation <> typcollation THEN format(
                        ' COLLATE %I.%I', collation_schema.nspname, collname) END,
                    CASE WHEN attnotnull THEN ' NOT NULL' END,
                    CASE WHEN attidentity <> '' THEN ' IDENTITY ' || attidentity::text END,
                    CASE WHEN attgenerated <> '' THEN ' GENERATED ' || attgenerated::text END,
                    ' DEFAULT ' || pg_get_expr(adbin, adrelid)),
                E',\n'
                -- a restored child has the columns of its parents first
                ORDER BY CASE WHEN attinhcount > 0 AND NOT relispartition THEN 0 ELSE attnum END,
                    attname) AS text
        FROM pg_attribute
        JOIN relations ON relations.oid = attrelid AND relkind NOT IN ('i', 'I', 'S', 't')
        JOIN pg_type ON pg_type.oid = atttypid
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        LEFT JOIN pg_collation ON pg_collation.oid = attcollation
        LEFT JOIN pg_namespace AS collation_schema ON collation_schema.oid = collnamespace
        WHERE attnum > 0 AND NOT attisdropped
        GROUP BY attrelid
    )
SELECT
    'server' AS kind, '' AS name,
    (current_setting('server_version_num')::integer / 10000)::text AS definition
UNION ALL
SELECT 'schema', nspname::text, '' FROM schemas
WHERE NOT EXISTS (
    SELECT 1 FROM members WHERE classid = 'pg_namespace'::regclass AND objid = schemas.oid)
UNION ALL
SELECT 'extension', extname::text, format('%s in %I', extversion, nspname)
FROM pg_extension
JOIN pg_namespace ON pg_namespace.oid = extnamespace
UNION ALL
-- tables, views, composite types
SELECT
    'relation', name,
    concat_ws(E'\n',
        relkind::text || relpersistence::text || relreplident::text
            || CASE WHEN relrowsecurity THEN ' row security' ELSE '' END
            || CASE WHEN relforcerowsecurity THEN ' forced' ELSE '' END,
        (SELECT string_agg(option, ', ' ORDER BY option COLLATE "C") FROM unnest(reloptions) AS option),
        columns.text,
        CASE WHEN relkind = 'p' THEN 'PARTITION BY ' || pg_get_partkeydef(relations.oid) END,
        pg_get_expr(relpartbound, relations.oid),
        (SELECT 'INHERITS ' || string_agg(inhparent::regclass::text, ', ' ORDER BY inhseqno)
            FROM pg_inherits WHERE inhrelid = relations.oid),
        CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(relations.oid) END,
        (SELECT format('SERVER %I %s', srvname, array_to_string(ftoptions, ', '))
            FROM pg_foreign_table
            JOIN pg_foreign_server ON pg_foreign_server.oid = ftserver
            WHERE ftrelid = relations.oid))
FROM relations
LEFT JOIN columns ON attrelid = relations.oid
WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
UNION ALL
SELECT
    'sequence', name,
    format('%s%s %s from %s by %s between %s and %s cache %s cycle %s',
        relpersistence, CASE WHEN owners.text IS NULL THEN '' ELSE ' of ' || owners.text END,
        format_type(seqtypid, NULL), seqstart, seqincrement, seqmin, seqmax, seqcache, seqcycle)
FROM pg_sequence
JOIN relations ON relations.oid = seqrelid
LEFT JOIN LATERAL (
    SELECT format('%s.%I', refobjid::regclass, attname) AS text
    FROM pg_depend
    JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
    WHERE classid = 'pg_class'::regclass AND objid = seqrelid AND deptype IN ('a', 'i')
        AND refclassid = 'pg_class'::regclass AND refobjsubid > 0
) AS owners ON true
UNION ALL
SELECT 'constraint', format('%I on %s', conname, name), pg_get_constraintdef(pg_constraint.oid)
FROM pg_constraint
JOIN relations ON relations.oid = conrelid
-- what is NOT NULL stands with the column
WHERE conparentid = 0 AND contype <> 'n'
UNION ALL
SELECT 'constraint', format('%I on %s', conname, format_type(contypid, NULL)),
    pg_get_constraintdef(pg_constraint.oid)
FROM pg_constraint
JOIN schemas ON schemas.oid = connamespace
WHERE contypid <> 0 AND contype <> 'n' AND NOT EXISTS (
    SELECT 1 FROM members WHERE classid = 'pg_type'::regclass AND objid = contypid)
UNION ALL
SELECT
    'index', name,
    pg_get_indexdef(indexrelid)
        || CASE WHEN indisvalid THEN '' ELSE ' INVALID' END
        || CASE WHEN indisclustered THEN ' CLUSTER' ELSE '' END
        || CASE WHEN indisreplident THEN ' REPLICA IDENTITY' ELSE '' END
FROM pg_index
JOIN relations ON relations.oid = indexrelid
WHERE NOT relispartition
UNION ALL
SELECT 'trigger', format('%I on %s', tgname, name), tgenabled::text || ' ' || pg_get_triggerdef(pg_trigger.oid)
FROM pg_trigger
JOIN relations ON relations.oid = tgrelid
WHERE NOT tgisinternal AND tgparentid = 0
UNION ALL
SELECT 'rule', format('%I on %s', rulename, name), ev_enabled::text || ' ' || pg_get_ruledef(pg_rewrite.oid)
FROM pg_rewrite
JOIN relations ON relations.oid = ev_class
WHERE rulename <> '_RETURN'
UNION ALL
SELECT
    'policy', format('%I on %s', polname, name),
    concat_ws(E'\n', polcmd, polpermissive,
        (SELECT string_agg(coalesce(rolname, 'public'), ', ' ORDER BY rolname)
            FROM unnest(polroles) AS role LEFT JOIN pg_roles ON pg_roles.oid = role),
        'USING ' || pg_get_expr(polqual, polrelid),
        'WITH CHECK ' || pg_get_expr(polwithcheck, polrelid))
FROM pg_policy
JOIN relations ON relations.oid = polrelid
UNION ALL
SELECT
    'routine', format('%I.%I(%s)', nspname, proname, pg_get_function_identity_arguments(p.oid)),
    CASE WHEN prokind <> 'a' THEN pg_get_functiondef(p.oid)
        ELSE (SELECT concat_ws(' ', 'aggregate', format_type(prorettype, NULL), aggkind, aggnumdirectargs,
                aggtransfn, aggfinalfn, aggcombinefn, aggserialfn, aggdeserialfn, aggmtransfn,
                aggminvtransfn, aggmfinalfn, aggfinalextra, aggfinalmodify, aggsortop::regoperator,
                format_type(aggtranstype, NULL), agginitval, aggminitval)
            FROM pg_aggregate WHERE aggfnoid = p.oid)
    END
FROM pg_proc AS p
JOIN schemas ON schemas.oid = pronamespace
WHERE NOT EXISTS (SELECT 1 FROM members WHERE classid = 'pg_proc'::regclass AND objid = p.oid)
UNION ALL
-- enumerations, domains, ranges, and types of their own; rows and arrays follow from others
SELECT
    'type', format('%I.%I', nspname, typname),
    concat_ws(E'\n', typtype,
        (SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder)
            FROM pg_enum WHERE enumtypid = t.oid),
        CASE WHEN typtype = 'd' THEN format('%s%s%s%s', format_type(typbasetype, typtypmod),
            CASE WHEN typcollation <> 0 THEN ' COLLATE ' || (
                SELECT format('%I.%I', collation_schema.nspname, collname)
                FROM pg_collation
                JOIN pg_namespace AS collation_schema ON collation_schema.oid = collnamespace
                WHERE pg_collation.oid = typcollation) END,
            CASE WHEN typnotnull THEN ' NOT NULL' END, ' DEFAULT ' || typdefault) END,
        (SELECT concat_ws(' ', format_type(rngsubtype, NULL), opcname, rngcanonical, rngsubdiff)
            FROM pg_range JOIN pg_opclass ON pg_opclass.oid = rngsubopc WHERE rngtypid = t.oid),
        CASE WHEN typtype = 'b' THEN concat_ws(' ', typlen, typbyval, typinput, typoutput) END)
FROM pg_type AS t
JOIN schemas ON schemas.oid = typnamespace
WHERE typtype IN ('e', 'd', 'r', 'b') AND typelem = 0
    AND NOT EXISTS (SELECT 1 FROM members WHERE classid = 'pg_type'::regclass AND objid = t.oid)
UNION ALL
SELECT 'operator', format('%I.%s (%s, %s)', nspname, oprname, format_type(oprleft, NULL), format_type(oprright, NULL)),
    concat_ws(' ', oprcode, oprcom::regoperator, oprnegate::regoperator, oprcanmerge, oprcanhash)
FROM pg_operator
JOIN schemas ON schemas.oid = oprnamespace
WHERE NOT EXISTS (
    SELECT 1 FROM members WHERE classid = 'pg_operator'::regclass AND objid = pg_operator.oid)
UNION ALL
SELECT 'cast', format('%s to %s', format_type(castsource, NULL), format_type(casttarget, NULL)),
    concat_ws(' ', castfunc::regprocedure, castcontext, castmethod)
FROM pg_cast
WHERE pg_cast.oid >= 16384
    AND NOT EXISTS (SELECT 1 FROM members WHERE classid = 'pg_cast'::regclass AND objid = pg_cast.oid)
UNION ALL
SELECT 'collation', format('%I.%I', nspname, collname),
    concat_ws(' ', collprovider, collisdeterministic, collcollate, collctype)
FROM pg_collation
JOIN schemas ON schemas.oid = collnamespace
WHERE NOT EXISTS (
    SELECT 1 FROM members WHERE classid = 'pg_collation'::regclass AND objid = pg_collation.oid)
UNION ALL
SELECT 'text search configuration', format('%I.%I', nspname, cfgname),
    concat_ws(E'\n', (SELECT prsname FROM pg_ts_parser WHERE pg_ts_parser.oid = cfgparser), (
        SELECT string_agg(format('%s %s %s', maptokentype, mapseqno, mapdict::regdictionary), ', '
            ORDER BY maptokentype, mapseqno)
        FROM pg_ts_config_map WHERE mapcfg = pg_ts_config.oid))
FROM pg_ts_config
JOIN schemas ON schemas.oid = cfgnamespace
WHERE NOT EXISTS (
    SELECT 1 FROM members WHERE classid = 'pg_ts_config'::regclass AND objid = pg_ts_config.oid)
UNION ALL
SELECT 'text search dictionary', format('%I.%I', nspname, dictname), dictinitoption
FROM pg_ts_dict
JOIN schemas ON schemas.oid = dictnamespace
WHERE NOT EXISTS (
    SELECT 1 FROM members WHERE classid = 'pg_ts_dict'::regclass AND objid = pg_ts_dict.oid)
UNION ALL
SELECT 'statistics', format('%I.%I', nspname, stxname), pg_get_statisticsobjdef(pg_statistic_ext.oid)
FROM pg_statistic_ext
JOIN schemas ON schemas.oid = stxnamespace
UNION ALL
SELECT 'event trigger', evtname::text,
    concat_ws(' ', evtenabled, evtevent, evtfoid::regprocedure, array_to_string(evttags, ', '))
FROM pg_event_trigger
WHERE NOT EXISTS (
    SELECT 1 FROM members WHERE classid = 'pg_event_trigger'::regclass AND objid = pg_event_trigger.oid)
UNION ALL
SELECT 'publication', pubname::text,
    concat_ws(' ', puballtables, pubinsert, pubupdate, pubdelete, pubtruncate, pubviaroot, (
        SELECT string_agg(prrelid::regclass::text, ', ' ORDER BY prrelid::regclass::text COLLATE "C")
        FROM pg_publication_rel WHERE prpubid = pg_publication.oid))
FROM pg_publication
UNION ALL
-- what is configured for a server may hold a password, and is none of the schema
SELECT 'foreign server', srvname::text, concat_ws(' ', fdwname, srvtype, srvversion)
FROM pg_foreign_server
JOIN pg_foreign_data_wrapper ON pg_foreign_data_wrapper.oid = srvfdw
UNION ALL
SELECT 'comment', object.type || ' ' || object.identity, description
FROM pg_description
JOIN LATERAL pg_identify_object(classoid, objoid, objsubid) AS object ON true
WHERE objoid >= 16384
    AND object.schema IS DISTINCT FROM 'mledger' AND object.identity <> 'mledger'
    AND NOT EXISTS (
        SELECT 1 FROM members
        WHERE members.classid = classoid AND members.objid = objoid)
