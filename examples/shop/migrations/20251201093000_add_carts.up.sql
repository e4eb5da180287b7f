-- @metadata {
--   "author": "priya", "description": "carts that outlive the browser",
--   "risk": "low", "dataVolume": "small", "estimatedDuration": 60,
--   "tags": ["carts"], "affectedTables": ["carts", "cart_items"]
-- }

CREATE TABLE carts (
  id INTEGER PRIMARY KEY,
  customer_id INTEGER REFERENCES customers (id) ON DELETE CASCADE,
  touched_at TEXT NOT NULL,
  ordered_at TEXT
);

CREATE TABLE cart_items (
  cart_id INTEGER NOT NULL REFERENCES carts (id) ON DELETE CASCADE,
  product_id INTEGER NOT NULL REFERENCES products (id) ON DELETE CASCADE,
  quantity INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 99),
  PRIMARY KEY (cart_id, product_id)
) WITHOUT ROWID;

CREATE INDEX carts_open ON carts (touched_at) WHERE ordered_at IS NULL;
CREATE INDEX cart_items_by_product ON cart_items (product_id);

-- Carts that the web shop kept in its session store until now.
INSERT INTO carts (id, customer_id, touched_at, ordered_at) VALUES
  (1, 1, '2025-11-30T20:11:00Z', NULL),
  (2, NULL, '2025-08-02T09:45:00Z', NULL),
  (3, 5, '2025-07-14T16:20:00Z', NULL),
  (4, NULL, '2025-06-30T23:59:00Z', NULL),
  (5, 7, '2025-11-28T12:00:00Z', '2025-11-28T12:07:00Z'),
  (6, NULL, '2025-12-01T08:02:00Z', NULL);

INSERT INTO cart_items (cart_id, product_id, quantity) VALUES
  (1, 1, 2), (1, 22, 1), (2, 17, 1), (2, 8, 4), (2, 6, 4), (3, 20, 1),
  (4, 12, 1), (4, 10, 2), (5, 3, 1), (6, 24, 2);
