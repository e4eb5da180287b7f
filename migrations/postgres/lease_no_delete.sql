CREATE FUNCTION mledger.lease_no_delete() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $guard$
BEGIN
    RAISE EXCEPTION 'the row of mledger.lease is freed, never deleted'
        USING ERRCODE = 'MLG02';
END
$guard$;
