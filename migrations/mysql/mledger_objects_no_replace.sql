CREATE TRIGGER mledger_objects_no_replace BEFORE INSERT ON mledger_objects FOR EACH ROW
BEGIN
    IF EXISTS (SELECT 1 FROM mledger_objects WHERE digest = NEW.digest) THEN
        SIGNAL SQLSTATE '45000'
            SET MESSAGE_TEXT = 'mledger_objects holds an object of this digest already';
    END IF;
END;
