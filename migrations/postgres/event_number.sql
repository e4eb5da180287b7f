CREATE FUNCTION mledger.event_number(value jsonb) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $guard$
    SELECT CASE WHEN pg_catalog.jsonb_typeof(value) = 'number' THEN value::numeric END
$guard$;
