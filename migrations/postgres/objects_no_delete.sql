CREATE FUNCTION mledger.objects_no_delete() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $guard$
BEGIN
    RAISE EXCEPTION 'objects in mledger.objects are redacted, never deleted'
        USING ERRCODE = 'MLG02';
END
$guard$;
