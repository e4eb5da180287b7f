CREATE TRIGGER mledger_lease_one_row BEFORE INSERT ON mledger_lease
WHEN EXISTS (SELECT 1 FROM mledger_lease)
BEGIN
    SELECT RAISE(ABORT, 'mledger_lease has one row, which is updated');
END;
