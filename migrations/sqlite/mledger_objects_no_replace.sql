CREATE TRIGGER mledger_objects_no_replace BEFORE INSERT ON mledger_objects
WHEN EXISTS (SELECT 1 FROM mledger_objects WHERE digest = NEW.digest)
BEGIN
    -- INSERT OR REPLACE fires no delete trigger
    SELECT RAISE(ABORT, 'mledger_objects holds an object of this digest already');
END;
