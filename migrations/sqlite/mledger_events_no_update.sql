CREATE TRIGGER mledger_events_no_update BEFORE UPDATE ON mledger_events
BEGIN
    SELECT RAISE(ABORT, 'events in mledger_events are never changed');
END;
