CREATE FUNCTION mledger.events_no_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $guard$
BEGIN
    RAISE EXCEPTION 'events in mledger.events are never changed and never deleted'
        USING ERRCODE = 'MLG02';
END
$guard$;
