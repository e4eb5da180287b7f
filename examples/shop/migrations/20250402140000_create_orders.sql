-- @metadata {
--   "author": "tomas", "description": "create orders and order lines",
--   "risk": "medium", "dataVolume": "medium", "estimatedDuration": 100,
--   "tags": ["orders"], "dependencies": ["20250310090000", "20250312101500"],
--   "affectedTables": ["orders", "order_items"], "ticket": "SHOP-41"
-- }

-- UP
CREATE TABLE orders (
  id INTEGER PRIMARY KEY,
  customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE RESTRICT,
  shipping_address_id INTEGER REFERENCES addresses (id) ON DELETE SET NULL,
  status TEXT NOT NULL DEFAULT 'placed'
    CHECK (status IN ('placed', 'paid', 'shipped', 'delivered', 'cancelled')),
  placed_at TEXT NOT NULL,
  note TEXT
);

-- `line` is the position on the invoice; a price is kept as it was on the day of the order.
CREATE TABLE order_items (
  order_id INTEGER NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
  line INTEGER NOT NULL CHECK (line > 0),
  product_id INTEGER NOT NULL REFERENCES products (id) ON DELETE RESTRICT,
  quantity INTEGER NOT NULL CHECK (quantity > 0),
  unit_cents INTEGER NOT NULL CHECK (unit_cents >= 0),
  PRIMARY KEY (order_id, line)
);

CREATE INDEX orders_by_customer ON orders (customer_id, placed_at);
CREATE INDEX order_items_by_product ON order_items (product_id);

-- DOWN
DROP TABLE order_items;
DROP TABLE orders;
