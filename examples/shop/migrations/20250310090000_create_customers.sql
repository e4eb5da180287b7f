-- @metadata {
--   "author": "dana", "description": "create customers and their addresses",
--   "breakingChange": false, "risk": "low", "dataVolume": "small", "estimatedDuration": 50,
--   "tags": ["customers"], "affectedTables": ["customers", "addresses"]
-- }

-- UP
CREATE TABLE customers (
  id INTEGER PRIMARY KEY,
  email TEXT NOT NULL,
  full_name TEXT NOT NULL CHECK (length(full_name) BETWEEN 1 AND 200),
  phone TEXT,
  created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
  UNIQUE (email)
);

CREATE TABLE addresses (
  id INTEGER PRIMARY KEY,
  customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
  purpose TEXT NOT NULL CHECK (purpose IN ('billing', 'shipping')),
  line1 TEXT NOT NULL,
  line2 TEXT,
  postcode TEXT NOT NULL,
  city TEXT NOT NULL,
  country TEXT NOT NULL DEFAULT 'DE' CHECK (length(country) = 2)
);

CREATE INDEX addresses_by_customer ON addresses (customer_id);

-- DOWN
DROP TABLE addresses;
DROP TABLE customers;
