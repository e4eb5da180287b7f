-- @metadata {
--   "author": "dana", "description": "one account per address whatever its case: customers.email compares without case",
--   "breakingChange": true, "risk": "high", "dataVolume": "medium", "estimatedDuration": 800,
--   "tags": ["customers"], "dependencies": ["20250310090000", "20250701084500"],
--   "affectedTables": ["customers", "customer_overview"], "ticket": "SHOP-112"
-- }

-- UP
-- SQLite cannot change a column's collation in place, so the table is built anew. Addresses,
-- orders and reviews refer to it, two of them with ON DELETE CASCADE: their rows stay because
-- migrations run with enforcement off. The view goes first, as it would stop the renaming.
DROP VIEW customer_overview;

CREATE TABLE customers_new (
  id INTEGER PRIMARY KEY,
  email TEXT NOT NULL COLLATE NOCASE,
  full_name TEXT NOT NULL CHECK (length(full_name) BETWEEN 1 AND 200),
  phone TEXT,
  created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
  UNIQUE (email)
);

INSERT INTO customers_new (id, email, full_name, phone, created_at)
SELECT id, email, full_name, phone, created_at FROM customers;

DROP TABLE customers;
ALTER TABLE customers_new RENAME TO customers;

CREATE VIEW customer_overview AS
SELECT
  customers.id,
  customers.email,
  customers.full_name,
  (SELECT count(*) FROM orders WHERE orders.customer_id = customers.id) AS orders,
  (SELECT max(placed_at) FROM orders WHERE orders.customer_id = customers.id) AS last_order_at
FROM customers;

-- VERIFY
SELECT count(*) = 1 FROM customers WHERE email = 'JONAS.KERN@EXAMPLE.COM';
SELECT count(*) = 13 FROM addresses WHERE customer_id BETWEEN 1 AND 10;

-- DOWN
-- Through a copy and not by renaming, so that the definition is again the text of its migration:
-- renaming would leave the name in quotes.
CREATE TABLE customers_copy AS SELECT * FROM customers;
DROP TABLE customers;

CREATE TABLE customers (
  id INTEGER PRIMARY KEY,
  email TEXT NOT NULL,
  full_name TEXT NOT NULL CHECK (length(full_name) BETWEEN 1 AND 200),
  phone TEXT,
  created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
  UNIQUE (email)
);

INSERT INTO customers (id, email, full_name, phone, created_at)
SELECT id, email, full_name, phone, created_at FROM customers_copy;

DROP TABLE customers_copy;
