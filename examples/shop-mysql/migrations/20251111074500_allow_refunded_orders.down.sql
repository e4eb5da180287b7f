DROP PROCEDURE refund_order;
DROP TABLE refunds;
UPDATE orders SET status = 'cancelled' WHERE status = 'refunded';
ALTER TABLE orders
  MODIFY status ENUM('placed', 'paid', 'shipped', 'delivered', 'cancelled') NOT NULL DEFAULT 'placed';
