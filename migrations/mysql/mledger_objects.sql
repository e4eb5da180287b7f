CREATE TABLE IF NOT EXISTS mledger_objects (
    -- Scripts and documents that events name by their SHA-256.
    digest VARBINARY(32) NOT NULL PRIMARY KEY CHECK (LENGTH(digest) = 32),
    size BIGINT NOT NULL CHECK (size >= 0),
    encoding VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
        CHECK (encoding IN ('raw', 'zstd', 'absent')),
    content LONGBLOB NOT NULL,
    CHECK (encoding <> 'absent' OR LENGTH(content) = 0)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4;
