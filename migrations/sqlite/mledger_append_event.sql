CREATE TRIGGER mledger_append_event INSTEAD OF INSERT ON mledger_append
BEGIN
    INSERT INTO mledger_events (seq, line, signature, prev, hash)
    VALUES (NEW.seq, NEW.line, NEW.signature, NEW.prev, NEW.hash);
END;
