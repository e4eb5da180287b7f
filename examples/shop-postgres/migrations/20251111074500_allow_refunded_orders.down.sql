-- A value of an enumeration cannot be taken away; nothing uses it any more.
UPDATE orders SET status = 'cancelled' WHERE status = 'refunded';
DROP TABLE refunds;
