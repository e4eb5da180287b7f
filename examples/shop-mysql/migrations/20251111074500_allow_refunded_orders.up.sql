-- @metadata {
--   "author": "tomas", "description": "orders can be refunded: one more status, the refunds, and what refunds one",
--   "risk": "medium", "dataVolume": "small", "estimatedDuration": 100,
--   "tags": ["orders", "payments"], "dependencies": ["20250402140000"],
--   "affectedTables": ["orders", "refunds"], "ticket": "SHOP-127"
-- }

-- mledger:timeout 5m
ALTER TABLE orders
  MODIFY status ENUM('placed', 'paid', 'shipped', 'delivered', 'cancelled', 'refunded') NOT NULL DEFAULT 'placed';

CREATE TABLE refunds (
  order_id BIGINT NOT NULL PRIMARY KEY,
  cents BIGINT NOT NULL CHECK (cents > 0),
  reason VARCHAR(200) NOT NULL,
  CONSTRAINT refunds_order FOREIGN KEY (order_id) REFERENCES orders (id)
) CHARACTER SET utf8mb4;

CREATE PROCEDURE refund_order(IN refunded BIGINT, IN why VARCHAR(200))
BEGIN
  DECLARE paid BIGINT;
  SELECT total_cents INTO paid FROM orders WHERE id = refunded;
  CASE
    WHEN paid IS NULL THEN
      SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'unknown: there is no such order';
    ELSE
      INSERT INTO refunds (order_id, cents, reason) VALUES (refunded, paid, why);
      UPDATE orders SET status = 'refunded' WHERE id = refunded;
  END CASE;
END;

CALL refund_order(4, 'lost in the post');
