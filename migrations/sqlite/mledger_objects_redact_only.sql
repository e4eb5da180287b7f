CREATE TRIGGER mledger_objects_redact_only BEFORE UPDATE ON mledger_objects
WHEN NEW.digest IS NOT OLD.digest
    OR NEW.size IS NOT OLD.size
    OR NEW.encoding IS NOT 'absent'
    OR length(NEW.content) IS NOT 0
BEGIN
    SELECT RAISE(ABORT, 'objects in mledger_objects are never changed but to be redacted');
END;
