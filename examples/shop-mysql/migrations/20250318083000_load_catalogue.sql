-- @metadata {
--   "author": "priya", "description": "load the opening catalogue",
--   "type": "dml", "risk": "low", "dataVolume": "small", "estimatedDuration": 20,
--   "tags": ["catalogue", "seed"], "dependencies": ["20250312101500"], "affectedTables": ["products"]
-- }

-- UP
# Rows alone: all of it is one transaction.
INSERT INTO products (id, sku, name, price_cents) VALUES
  (1, 'COF-ETH-250', 'Yirgacheffe, 250 g', 1090),
  (2, 'COF-HSE-1000', 'House espresso, 1 kg; whole beans', 3190),
  (3, 'TEA-SEN-100', 'Sencha, 100 g (煎茶)', 1490),
  (4, 'EQP-GRI-E', 'Electric grinder, 64 mm \'flat\' burrs', 34900),
  (5, 'EQP-KET-G', 'Gooseneck kettle', 5900),
  (6, 'GFT-VOU-25', 'Voucher', 2500);

INSERT INTO customers (id, email, full_name, phone) VALUES
  (1, 'anna.berg@example.com', 'Anna Berg', '+49 30 5550101'),
  (2, 'Jonas.Kern@example.com', 'Jonas Kern', NULL),
  (3, 'maeve@example.org', 'Maeve O''Connor', '+353 1 5550102'),
  (4, 'li.wei@example.net', '李伟', NULL);

-- VERIFY
SELECT count(*) = 6 FROM products;
SELECT name LIKE '%; whole beans' FROM products WHERE id = 2;

-- DOWN
DELETE FROM customers;
DELETE FROM products WHERE id BETWEEN 1 AND 6;
