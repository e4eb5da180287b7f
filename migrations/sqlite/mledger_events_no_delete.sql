CREATE TRIGGER mledger_events_no_delete BEFORE DELETE ON mledger_events
BEGIN
    SELECT RAISE(ABORT, 'events in mledger_events are never deleted');
END;
