CREATE TABLE mledger.objects (
    -- Scripts and documents that events name by their SHA-256.
    digest bytea NOT NULL,
    size bigint NOT NULL,
    encoding text NOT NULL,
    content bytea NOT NULL,
    CONSTRAINT objects_pkey PRIMARY KEY (digest),
    CONSTRAINT objects_digest_check CHECK (octet_length(digest) = 32),
    CONSTRAINT objects_size_check CHECK (size >= 0),
    CONSTRAINT objects_encoding_check CHECK (
        encoding = 'raw' OR encoding = 'zstd' OR encoding = 'absent'),
    CONSTRAINT objects_content_check CHECK (encoding <> 'absent' OR octet_length(content) = 0)
);
