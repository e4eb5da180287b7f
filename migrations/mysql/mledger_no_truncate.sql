CREATE TABLE IF NOT EXISTS mledger_no_truncate (
    -- Always empty. TRUNCATE fires no trigger, but it is refused for a table that another one
    -- refers to, and so is DROP TABLE.
    event BIGINT,
    object VARBINARY(32),
    lease TINYINT,
    FOREIGN KEY (event) REFERENCES mledger_events (seq),
    FOREIGN KEY (object) REFERENCES mledger_objects (digest),
    FOREIGN KEY (lease) REFERENCES mledger_lease (`only`)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4;
