CREATE TRIGGER mledger_objects_no_delete BEFORE DELETE ON mledger_objects FOR EACH ROW
BEGIN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'objects in mledger_objects are redacted, never deleted';
END;
