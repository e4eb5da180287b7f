CREATE TRIGGER mledger_events_no_delete BEFORE DELETE ON mledger_events FOR EACH ROW
BEGIN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'events in mledger_events are never deleted';
END;
