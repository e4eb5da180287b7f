-- @metadata {
--   "author": "tomas", "description": "orders can be refunded: one more status, the refunds, and a statistic",
--   "risk": "medium", "dataVolume": "small", "estimatedDuration": 100,
--   "tags": ["orders", "payments"], "dependencies": ["20250402140000"],
--   "affectedTables": ["orders", "refunds"], "ticket": "SHOP-127"
-- }

-- mledger:no-transaction
-- mledger:timeout 5m

-- A new value can be used only when the transaction that adds it has ended.
ALTER TYPE order_status ADD VALUE IF NOT EXISTS 'refunded';

CREATE TABLE refunds (
  order_id bigint PRIMARY KEY REFERENCES orders ON DELETE RESTRICT,
  cents bigint NOT NULL CHECK (cents > 0),
  reason text NOT NULL
);

UPDATE orders SET status = 'refunded' WHERE id = 4;

INSERT INTO refunds (order_id, cents, reason)
SELECT id, total_cents, 'lost in the post' FROM orders WHERE status = 'refunded';

VACUUM (ANALYZE) orders;
