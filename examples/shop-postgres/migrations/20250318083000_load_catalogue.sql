-- @metadata {
--   "author": "priya", "description": "load the opening catalogue, as the old till exported it",
--   "type": "dml", "risk": "low", "dataVolume": "small", "estimatedDuration": 20,
--   "tags": ["catalogue", "seed"], "dependencies": ["20250312101500"], "affectedTables": ["products"]
-- }

-- UP
COPY products (id, sku, name, price_cents, details) FROM stdin;
1	COF-ETH-250	Yirgacheffe, 250 g	1090	{"process": "washed"}
2	COF-HSE-1000	House espresso, 1 kg; whole beans	3190	{}
3	TEA-SEN-100	Sencha, 100 g (煎茶)	1490	{"flush": 1}
4	EQP-GRI-E	Electric grinder	34900	{"burrs": "64 mm"}
5	EQP-KET-G	Gooseneck kettle	5900	{"litres": 0.9}
6	GFT-VOU-25	Voucher	2500	{}
\.

SELECT setval(pg_get_serial_sequence('products', 'id'), (SELECT max(id) FROM products));

INSERT INTO customers (email, full_name, phone) VALUES
  ('anna.berg@example.com', 'Anna Berg', '+49 30 5550101'),
  ('Jonas.Kern@example.com', 'Jonas Kern', NULL),
  ('maeve@example.org', 'Maeve O''Connor', '+353 1 5550102'),
  ('li.wei@example.net', '李伟', NULL);

-- VERIFY
SELECT count(*) = 6 FROM products;
SELECT name LIKE '%; whole beans' FROM products WHERE id = 2;

-- DOWN
DELETE FROM customers;
DELETE FROM products WHERE id BETWEEN 1 AND 6;
