-- @metadata {
--   "author": "priya", "description": "keep every price a product has had, and raise coffee prices for the summer",
--   "risk": "low", "dataVolume": "small", "estimatedDuration": 80,
--   "tags": ["catalogue", "prices"], "dependencies": ["20250312101500"],
--   "affectedTables": ["price_changes", "products"], "ticket": "SHOP-63"
-- }

-- UP
CREATE TABLE price_changes (
  id INTEGER PRIMARY KEY,
  product_id INTEGER NOT NULL REFERENCES products (id) ON DELETE CASCADE,
  old_cents INTEGER NOT NULL,
  new_cents INTEGER NOT NULL,
  old_since TEXT NOT NULL,
  direction TEXT NOT NULL CHECK (direction IN ('up', 'down')),
  changed_at TEXT NOT NULL,
  CHECK (old_cents <> new_cents)
);

CREATE INDEX price_changes_by_product ON price_changes (product_id, changed_at DESC);

CREATE TRIGGER products_price_changed AFTER UPDATE OF price_cents ON products
WHEN OLD.price_cents <> NEW.price_cents
BEGIN
  INSERT INTO price_changes (product_id, old_cents, new_cents, old_since, direction, changed_at)
  VALUES (
    NEW.id, OLD.price_cents, NEW.price_cents, OLD.price_since,
    CASE WHEN NEW.price_cents > OLD.price_cents THEN 'up' ELSE 'down' END,
    NEW.price_since
  );
END;

-- Five per cent, rounded up to the next ten cents.
UPDATE products
SET price_cents = ((price_cents * 105 + 999) / 1000) * 10, price_since = '2025-06-01T00:00:00Z'
WHERE sku LIKE 'COF-%';

-- DOWN
DROP TRIGGER products_price_changed;

UPDATE products
SET price_cents = first.old_cents, price_since = first.old_since
FROM (
  SELECT product_id, old_cents, old_since, min(id) FROM price_changes GROUP BY product_id
) AS first
WHERE first.product_id = products.id;

DROP TABLE price_changes;
