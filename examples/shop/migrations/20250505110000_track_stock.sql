-- @metadata {
--   "author": "priya", "description": "track stock by movements; the level follows by trigger and never goes below zero",
--   "risk": "medium", "dataVolume": "small", "estimatedDuration": 100,
--   "tags": ["stock"], "affectedTables": ["stock", "stock_movements"], "ticket": "SHOP-58"
-- }

-- UP
CREATE TABLE stock (
  product_id INTEGER PRIMARY KEY REFERENCES products (id) ON DELETE CASCADE,
  on_hand INTEGER NOT NULL DEFAULT 0 CHECK (on_hand >= 0),
  reorder_at INTEGER NOT NULL DEFAULT 5
);

CREATE TABLE stock_movements (
  id INTEGER PRIMARY KEY,
  product_id INTEGER NOT NULL REFERENCES products (id) ON DELETE CASCADE,
  change INTEGER NOT NULL CHECK (change <> 0),
  reason TEXT NOT NULL CHECK (reason IN ('delivery', 'sale', 'return', 'count')),
  happened_at TEXT NOT NULL
);

CREATE INDEX stock_movements_by_product ON stock_movements (product_id, happened_at);

-- The messages are read by the till: keep their first word.
CREATE TRIGGER stock_movements_checked BEFORE INSERT ON stock_movements
BEGIN
  SELECT CASE
    WHEN NOT EXISTS (SELECT 1 FROM stock WHERE product_id = NEW.product_id)
      THEN RAISE(ABORT, 'unstocked: the product has no stock row')
    WHEN (SELECT on_hand FROM stock WHERE product_id = NEW.product_id) + NEW.change < 0
      THEN RAISE(ABORT, 'short: not enough on hand')
  END;
END;

CREATE TRIGGER stock_movements_counted AFTER INSERT ON stock_movements
BEGIN
  UPDATE stock SET on_hand = on_hand + NEW.change WHERE product_id = NEW.product_id;
END;

-- Large goods are ordered one by one.
INSERT INTO stock (product_id, reorder_at)
SELECT id, CASE WHEN price_cents >= 5000 THEN 1 ELSE 5 END FROM products;

INSERT INTO stock_movements (product_id, change, reason, happened_at)
SELECT id, CASE WHEN sku LIKE 'EQP-%' THEN 6 ELSE 40 END, 'delivery', '2025-05-05T06:00:00Z'
FROM products ORDER BY id;

INSERT INTO stock_movements (product_id, change, reason, happened_at)
SELECT order_items.product_id, -sum(order_items.quantity), 'sale', '2025-05-05T06:30:00Z'
FROM order_items JOIN orders ON orders.id = order_items.order_id
WHERE orders.status <> 'cancelled'
GROUP BY order_items.product_id ORDER BY order_items.product_id;

-- DOWN
DROP TABLE stock_movements;
DROP TABLE stock;
