CREATE FUNCTION mledger.objects_redact_only() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $guard$
BEGIN
    IF NEW.digest IS DISTINCT FROM OLD.digest
        OR NEW.size IS DISTINCT FROM OLD.size
        OR NEW.encoding IS DISTINCT FROM 'absent'
        OR octet_length(NEW.content) IS DISTINCT FROM 0
    THEN
        RAISE EXCEPTION 'objects in mledger.objects are never changed but to be redacted'
            USING ERRCODE = 'MLG02';
    END IF;
    RETURN NEW;
END
$guard$;
