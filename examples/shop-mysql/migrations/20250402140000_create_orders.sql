-- @metadata {
--   "author": "tomas", "description": "create orders and order lines; the total follows its lines by trigger",
--   "risk": "medium", "dataVolume": "medium", "estimatedDuration": 100,
--   "tags": ["orders"], "dependencies": ["20250310090000", "20250312101500"],
--   "affectedTables": ["orders", "order_items"], "ticket": "SHOP-41"
-- }

-- UP
CREATE TABLE orders (
  id BIGINT AUTO_INCREMENT PRIMARY KEY,
  customer_id BIGINT NOT NULL,
  status ENUM('placed', 'paid', 'shipped', 'delivered', 'cancelled') NOT NULL DEFAULT 'placed',
  placed_at DATETIME NOT NULL,
  total_cents BIGINT NOT NULL DEFAULT 0,
  CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES customers (id)
) CHARACTER SET utf8mb4;

CREATE TABLE order_items (
  order_id BIGINT NOT NULL,
  line INT NOT NULL,
  product_id BIGINT NOT NULL,
  quantity INT NOT NULL CHECK (quantity > 0),
  unit_cents INT NOT NULL CHECK (unit_cents >= 0),
  PRIMARY KEY (order_id, line),
  CONSTRAINT order_items_order FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE,
  CONSTRAINT order_items_product FOREIGN KEY (product_id) REFERENCES products (id)
) CHARACTER SET utf8mb4;

CREATE TRIGGER order_items_added AFTER INSERT ON order_items FOR EACH ROW
  UPDATE orders SET total_cents = total_cents + NEW.quantity * NEW.unit_cents WHERE id = NEW.order_id;

-- A client of the server would need another delimiter here, and so may a script; it is understood
-- without one as well.
DELIMITER //
CREATE TRIGGER order_items_removed AFTER DELETE ON order_items FOR EACH ROW
BEGIN
  IF OLD.quantity > 0 THEN
    UPDATE orders SET total_cents = total_cents - OLD.quantity * OLD.unit_cents WHERE id = OLD.order_id;
  END IF;
END//
DELIMITER ;

INSERT INTO orders (id, customer_id, status, placed_at)
SELECT id, id, 'paid', '2025-04-01 06:41:00' FROM customers;

INSERT INTO order_items (order_id, line, product_id, quantity, unit_cents)
SELECT customers.id, products.id, products.id, 2, products.price_cents
FROM customers CROSS JOIN products WHERE products.id <= 3;

-- VERIFY
SELECT min(total_cents) = 2 * (1090 + 3190 + 1490) FROM orders;

-- DOWN
DROP TABLE order_items;
DROP TABLE orders;
