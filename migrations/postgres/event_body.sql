CREATE FUNCTION mledger.event_body(line bytea) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $guard$
BEGIN
    RETURN convert_from(line, 'UTF8')::jsonb;
EXCEPTION
    -- a line that is not JSON any more shows with its seq and hash alone
    WHEN OTHERS THEN RETURN NULL;
END
$guard$;
