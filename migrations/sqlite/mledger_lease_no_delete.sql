CREATE TRIGGER mledger_lease_no_delete BEFORE DELETE ON mledger_lease
BEGIN
    SELECT RAISE(ABORT, 'the row of mledger_lease is freed, never deleted');
END;
