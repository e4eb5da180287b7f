CREATE TABLE IF NOT EXISTS mledger_lease (
    -- The run lock, one row, free while `token` is NULL; and which database this is.
    `only` TINYINT NOT NULL PRIMARY KEY CHECK (`only` = 1),
    identity VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    token VARCHAR(36) CHARACTER SET ascii COLLATE ascii_bin,
    actor TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    host TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    run VARCHAR(36) CHARACTER SET ascii COLLATE ascii_bin,
    process TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    session TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    since_ms BIGINT,
    expires_ms BIGINT
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4;
