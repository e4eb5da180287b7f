CREATE FUNCTION mledger.events_next_only() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $guard$
DECLARE
    head record;
BEGIN
    SELECT seq, hash INTO head FROM mledger.events ORDER BY seq DESC LIMIT 1;
    IF NEW.seq IS DISTINCT FROM coalesce(head.seq + 1, 0)
        OR NEW.prev IS DISTINCT FROM coalesce(head.hash, decode(repeat('00', 32), 'hex'))
    THEN
        RAISE EXCEPTION 'mledger.events takes only the event that follows its last one'
            USING ERRCODE = 'MLG01';
    END IF;
    RETURN NEW;
END
$guard$;
