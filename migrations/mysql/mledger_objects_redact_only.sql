CREATE TRIGGER mledger_objects_redact_only BEFORE UPDATE ON mledger_objects FOR EACH ROW
BEGIN
    IF NEW.digest <> OLD.digest OR NEW.size <> OLD.size
        OR NEW.encoding <> 'absent' OR LENGTH(NEW.content) <> 0
    THEN
        SIGNAL SQLSTATE '45000'
            SET MESSAGE_TEXT = 'objects in mledger_objects are never changed but to be redacted';
    END IF;
END;
