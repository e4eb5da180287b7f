CREATE TRIGGER mledger_events_next_only BEFORE INSERT ON mledger_events
BEGIN
    -- INSERT OR REPLACE deletes rows without firing a delete trigger, so every insert that would
    -- meet a row that is there is refused before it does.
    SELECT RAISE(ABORT, 'mledger_events takes only the event that follows its last one')
    WHERE NEW.seq IS NOT coalesce((SELECT max(seq) + 1 FROM mledger_events), 0)
        OR NEW.prev IS NOT coalesce(
            (SELECT hash FROM mledger_events ORDER BY seq DESC LIMIT 1), zeroblob(32))
        OR EXISTS (SELECT 1 FROM mledger_events WHERE hash = NEW.hash);
END;
