-- @metadata {
--   "author": "dana", "description": "create customers and their addresses",
--   "breakingChange": false, "risk": "low", "dataVolume": "small", "estimatedDuration": 50,
--   "tags": ["customers"], "affectedTables": ["customers", "addresses"]
-- }

-- UP
CREATE TABLE customers (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  email text NOT NULL,
  full_name text NOT NULL CHECK (length(full_name) BETWEEN 1 AND 200),
  phone text,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- One account per address, whatever its case.
CREATE UNIQUE INDEX customers_by_email ON customers (lower(email));

CREATE TYPE address_purpose AS ENUM ('billing', 'shipping');

CREATE TABLE addresses (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer_id bigint NOT NULL REFERENCES customers ON DELETE CASCADE,
  purpose address_purpose NOT NULL,
  line1 text NOT NULL,
  postcode text NOT NULL,
  city text NOT NULL,
  country char(2) NOT NULL DEFAULT 'DE'
);

CREATE INDEX addresses_by_customer ON addresses (customer_id);

-- DOWN
DROP TABLE addresses;
DROP TYPE address_purpose;
DROP TABLE customers;
