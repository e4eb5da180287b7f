-- @metadata {
--   "author": "tomas", "description": "a view for the monthly report, and an event that tidies up",
--   "risk": "low", "dataVolume": "small", "estimatedDuration": 20,
--   "tags": ["reports"], "dependencies": ["20251111074500"], "affectedTables": ["monthly_sales"]
-- }

-- UP
CREATE VIEW monthly_sales AS
SELECT DATE_FORMAT(placed_at, '%Y-%m') AS month, count(*) AS orders, sum(total_cents) AS total_cents
FROM orders
WHERE status NOT IN ('cancelled', 'refunded')
GROUP BY month;

CREATE EVENT forget_phones ON SCHEDULE EVERY 1 MONTH DISABLE DO
  UPDATE customers SET phone = NULL WHERE id NOT IN (SELECT customer_id FROM orders);

-- VERIFY
SELECT orders = 3 FROM monthly_sales;

-- DOWN
DROP EVENT forget_phones;
DROP VIEW monthly_sales;
