CREATE TRIGGER mledger_events_next_only BEFORE INSERT ON mledger_events FOR EACH ROW
BEGIN
    IF NEW.seq <> COALESCE((SELECT MAX(seq) + 1 FROM mledger_events), 0)
        OR NEW.prev <> COALESCE(
            (SELECT hash FROM mledger_events ORDER BY seq DESC LIMIT 1), REPEAT(X'00', 32))
    THEN
        SIGNAL SQLSTATE '45000'
            SET MESSAGE_TEXT = 'mledger_events takes only the event that follows its last one';
    END IF;
END;
