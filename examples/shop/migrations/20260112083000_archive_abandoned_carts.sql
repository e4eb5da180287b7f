-- @metadata {
--   "author": "priya", "description": "move carts that nobody touched since September out of the way",
--   "type": "dml", "risk": "medium", "dataVolume": "small", "estimatedDuration": 60,
--   "tags": ["carts"], "dependencies": ["20251201093000"],
--   "affectedTables": ["carts", "cart_items", "archived_carts", "archived_cart_items"]
-- }

-- UP
-- mledger:foreign-keys on
CREATE TABLE archived_carts AS
SELECT * FROM carts WHERE ordered_at IS NULL AND touched_at < '2025-09-01T00:00:00Z';

CREATE TABLE archived_cart_items AS
SELECT * FROM cart_items WHERE cart_id IN (SELECT id FROM archived_carts);

-- Their items go with them: cart_items refers to carts with ON DELETE CASCADE.
DELETE FROM carts WHERE id IN (SELECT id FROM archived_carts);

-- VERIFY
SELECT count(*) = 0 FROM cart_items WHERE cart_id IN (SELECT id FROM archived_carts);

-- DOWN
INSERT INTO carts (id, customer_id, touched_at, ordered_at)
SELECT id, customer_id, touched_at, ordered_at FROM archived_carts;

INSERT INTO cart_items (cart_id, product_id, quantity)
SELECT cart_id, product_id, quantity FROM archived_cart_items;

DROP TABLE archived_cart_items;
DROP TABLE archived_carts;
