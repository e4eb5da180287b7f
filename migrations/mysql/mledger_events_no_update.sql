CREATE TRIGGER mledger_events_no_update BEFORE UPDATE ON mledger_events FOR EACH ROW
BEGIN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'events in mledger_events are never changed';
END;
