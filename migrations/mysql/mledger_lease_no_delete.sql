CREATE TRIGGER mledger_lease_no_delete BEFORE DELETE ON mledger_lease FOR EACH ROW
BEGIN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the row of mledger_lease is freed, never deleted';
END;
