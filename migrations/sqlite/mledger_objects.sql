CREATE TABLE mledger_objects (
    -- Scripts and documents that events name by their SHA-256.
    digest BLOB NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    size INTEGER NOT NULL CHECK (size >= 0),
    encoding TEXT NOT NULL CHECK (encoding IN ('raw', 'zstd', 'absent')),
    content BLOB NOT NULL CHECK (encoding <> 'absent' OR length(content) = 0)
) STRICT;
