-- @metadata {
--   "author": "tomas", "description": "views for the monthly report",
--   "risk": "low", "dataVolume": "small", "estimatedDuration": 20,
--   "tags": ["reports"], "dependencies": ["20251111074500"],
--   "affectedTables": ["monthly_sales", "best_sellers"]
-- }

-- UP
CREATE VIEW monthly_sales AS
SELECT
  strftime('%Y-%m', placed_at) AS month,
  count(*) AS orders,
  sum(total_cents) AS total_cents,
  sum(sum(total_cents)) OVER (ORDER BY strftime('%Y-%m', placed_at)) AS running_cents
FROM orders
WHERE status NOT IN ('cancelled', 'refunded')
GROUP BY month;

CREATE VIEW best_sellers AS
WITH sold AS (
  SELECT product_id, sum(quantity) AS pieces, sum(quantity * unit_cents) AS cents
  FROM order_items JOIN orders ON orders.id = order_items.order_id
  WHERE orders.status NOT IN ('cancelled', 'refunded')
  GROUP BY product_id
)
SELECT
  rank() OVER (ORDER BY sold.cents DESC) AS place,
  products.sku, products.name, sold.pieces, sold.cents
FROM sold JOIN products ON products.id = sold.product_id;

-- VERIFY
SELECT count(*) > 0 FROM monthly_sales;
SELECT name = 'House espresso, 1 kg' FROM best_sellers WHERE place = 1;

-- DOWN
DROP VIEW best_sellers;
DROP VIEW monthly_sales;
