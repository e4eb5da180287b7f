-- @metadata {
--   "author": "tomas", "description": "store each order's total, fill it for the orders there are, and keep it by trigger",
--   "risk": "medium", "dataVolume": "medium", "estimatedDuration": 400,
--   "tags": ["orders"], "dependencies": ["20250402140000", "20250610160000"],
--   "affectedTables": ["orders", "order_items", "order_coupons"], "ticket": "SHOP-90"
-- }

-- UP
ALTER TABLE orders ADD COLUMN total_cents INTEGER NOT NULL DEFAULT 0;

UPDATE orders
SET total_cents = sums.cents
FROM (
  SELECT order_id, sum(quantity * unit_cents) AS cents FROM order_items GROUP BY order_id
) AS sums
WHERE sums.order_id = orders.id;

UPDATE orders
SET total_cents = max(0, orders.total_cents - reductions.cents)
FROM (
  SELECT order_id, sum(cents_off) AS cents FROM order_coupons GROUP BY order_id
) AS reductions
WHERE reductions.order_id = orders.id;

CREATE TRIGGER order_items_added AFTER INSERT ON order_items
BEGIN
  UPDATE orders SET total_cents = total_cents + NEW.quantity * NEW.unit_cents
  WHERE id = NEW.order_id;
END;

CREATE TRIGGER order_items_removed AFTER DELETE ON order_items
BEGIN
  UPDATE orders SET total_cents = max(0, total_cents - OLD.quantity * OLD.unit_cents)
  WHERE id = OLD.order_id;
END;

-- VERIFY
SELECT count(*) = 0 FROM orders WHERE total_cents < 0;

SELECT sum(total_cents) = (SELECT sum(quantity * unit_cents) FROM order_items)
                        - (SELECT sum(cents_off) FROM order_coupons)
FROM orders;

-- DOWN
DROP TRIGGER order_items_removed;
DROP TRIGGER order_items_added;
ALTER TABLE orders DROP COLUMN total_cents;
