CREATE VIEW mledger_append (seq, line, signature, prev, hash) AS
    -- The door through which events are added. An insert that happens inside a trigger leaves
    -- last_insert_rowid() alone, so a script that runs step by step still reads its own.
    SELECT seq, line, signature, prev, hash FROM mledger_events;
