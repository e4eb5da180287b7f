CREATE TRIGGER mledger_lease_one_row BEFORE INSERT ON mledger_lease FOR EACH ROW
BEGIN
    IF EXISTS (SELECT 1 FROM mledger_lease) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'mledger_lease has one row, which is updated';
    END IF;
END;
