CREATE TRIGGER mledger_objects_no_delete BEFORE DELETE ON mledger_objects
BEGIN
    SELECT RAISE(ABORT, 'objects in mledger_objects are redacted, never deleted');
END;
