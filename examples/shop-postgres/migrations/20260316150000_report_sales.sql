-- @metadata {
--   "author": "tomas", "description": "views for the monthly report, and what a reporting role may see",
--   "risk": "low", "dataVolume": "small", "estimatedDuration": 20,
--   "tags": ["reports"], "dependencies": ["20251111074500"], "affectedTables": ["monthly_sales"]
-- }

-- UP
CREATE VIEW monthly_sales AS
SELECT
  date_trunc('month', placed_at, 'UTC') AS month,
  count(*) AS orders,
  sum(total_cents) AS total_cents
FROM orders
WHERE status NOT IN ('cancelled', 'refunded')
GROUP BY 1;

CREATE FUNCTION sold_since(day date) RETURNS bigint LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT coalesce(sum(total_cents), 0)::bigint FROM orders WHERE placed_at >= day;
END;

COMMENT ON VIEW monthly_sales IS 'what was sold; cancelled and refunded orders are left out';

-- VERIFY
SELECT orders = 3 FROM monthly_sales;

-- DOWN
DROP FUNCTION sold_since(date);
DROP VIEW monthly_sales;
