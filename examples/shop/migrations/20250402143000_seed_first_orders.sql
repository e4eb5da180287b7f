-- @metadata {
--   "author": "tomas", "description": "take over customers and orders of the opening weeks from the old till",
--   "type": "dml", "risk": "low", "dataVolume": "small", "estimatedDuration": 100,
--   "tags": ["orders", "seed"], "dependencies": ["20250318083000", "20250402140000"],
--   "affectedTables": ["customers", "addresses", "orders", "order_items"]
-- }

-- UP
INSERT INTO customers (id, email, full_name, phone, created_at) VALUES
  (1, 'anna.berg@example.com', 'Anna Berg', '+49 30 5550101', '2025-03-19T09:12:00Z'),
  (2, 'Jonas.Kern@example.com', 'Jonas Kern', NULL, '2025-03-19T14:40:00Z'),
  (3, 'maeve@example.org', 'Maeve O''Connor', '+353 1 5550102', '2025-03-20T08:05:00Z'),
  (4, 'li.wei@example.net', '李伟', NULL, '2025-03-21T11:31:00Z'),
  (5, 'sofia.rossi@example.com', 'Sofia Rossi', '+39 06 5550103', '2025-03-22T17:22:00Z'),
  (6, 'cafe-nord@example.org', 'Café Nord; Einkauf', '+49 40 5550104', '2025-03-24T07:55:00Z'),
  (7, 'pavel.novak@example.com', 'Pavel Novák', NULL, '2025-03-26T19:03:00Z'),
  (8, 'Ines.Costa@Example.net', 'Inês Costa', '+351 21 5550105', '2025-03-29T10:47:00Z'),
  (9, 'b.adeyemi@example.com', 'Bola Adeyemi', NULL, '2025-03-31T12:00:00Z'),
  (10, 'office@example.org', 'Hartmann & Söhne', '+49 89 5550106', '2025-04-01T06:30:00Z');

INSERT INTO addresses (id, customer_id, purpose, line1, line2, postcode, city, country) VALUES
  (1, 1, 'billing', 'Lindenweg 4', NULL, '10967', 'Berlin', 'DE'),
  (2, 1, 'shipping', 'Lindenweg 4', 'Hinterhaus', '10967', 'Berlin', 'DE'),
  (3, 2, 'billing', 'Marktplatz 11', NULL, '70173', 'Stuttgart', 'DE'),
  (4, 3, 'billing', '9 Quay Street', NULL, 'D01 AB12', 'Dublin', 'IE'),
  (5, 4, 'billing', 'Hafenallee 88', NULL, '20457', 'Hamburg', 'DE'),
  (6, 5, 'billing', 'Via dei Fiori 3', 'int. 7', '00184', 'Roma', 'IT'),
  (7, 6, 'billing', 'Nordufer 1', NULL, '22767', 'Hamburg', 'DE'),
  (8, 6, 'shipping', 'Lager 3, Tor B', NULL, '22113', 'Hamburg', 'DE'),
  (9, 7, 'billing', 'Dlouhá 20', NULL, '11000', 'Praha', 'CZ'),
  (10, 8, 'billing', 'Rua do Sol 15', NULL, '1200-001', 'Lisboa', 'PT'),
  (11, 9, 'billing', 'Ringstraße 52', NULL, '50996', 'Köln', 'DE'),
  (12, 10, 'billing', 'Isarkai 7', NULL, '80331', 'München', 'DE'),
  (13, 10, 'shipping', 'Isarkai 7', 'Empfang', '80331', 'München', 'DE');

INSERT INTO orders (id, customer_id, shipping_address_id, status, placed_at, note) VALUES
  (1, 1, 2, 'delivered', '2025-03-19T09:20:00Z', NULL),
  (2, 2, 3, 'delivered', '2025-03-19T14:44:00Z', NULL),
  (3, 3, 4, 'delivered', '2025-03-20T08:10:00Z', 'gift; no invoice in the parcel'),
  (4, 4, 5, 'cancelled', '2025-03-21T11:35:00Z', NULL),
  (5, 5, 6, 'delivered', '2025-03-22T17:30:00Z', NULL),
  (6, 6, 8, 'delivered', '2025-03-24T08:00:00Z', 'ring at gate B'),
  (7, 6, 8, 'delivered', '2025-03-28T08:00:00Z', NULL),
  (8, 7, 9, 'shipped', '2025-03-29T19:10:00Z', NULL),
  (9, 8, 10, 'shipped', '2025-03-30T10:50:00Z', NULL),
  (10, 1, 2, 'paid', '2025-03-31T21:15:00Z', NULL),
  (11, 9, 11, 'paid', '2025-03-31T22:02:00Z', NULL),
  (12, 10, 13, 'paid', '2025-04-01T06:41:00Z', 'monthly'),
  (13, 6, 8, 'placed', '2025-04-01T08:00:00Z', NULL),
  (14, 3, 4, 'placed', '2025-04-02T07:25:00Z', NULL);

INSERT INTO order_items (order_id, line, product_id, quantity, unit_cents) VALUES
  (1, 1, 1, 2, 1090), (1, 2, 22, 1, 650),
  (2, 1, 7, 1, 890),
  (3, 1, 23, 1, 1900), (3, 2, 24, 1, 2500),
  (4, 1, 17, 1, 34900),
  (5, 1, 14, 2, 1690), (5, 2, 20, 1, 4500),
  (6, 1, 8, 6, 3190), (6, 2, 6, 4, 2990),
  (7, 1, 8, 6, 3190),
  (8, 1, 16, 1, 8900), (8, 2, 3, 1, 990), (8, 3, 5, 1, 850),
  (9, 1, 12, 1, 2490),
  (10, 1, 1, 1, 1090), (10, 2, 3, 1, 990), (10, 3, 9, 1, 1050),
  (11, 1, 18, 1, 5900), (11, 2, 21, 1, 2400), (11, 3, 22, 2, 650),
  (12, 1, 8, 3, 3190), (12, 2, 13, 2, 890),
  (13, 1, 8, 8, 3190), (13, 2, 4, 2, 3490),
  (14, 1, 10, 1, 1490), (14, 2, 11, 1, 1190);

-- DOWN
DELETE FROM order_items WHERE order_id BETWEEN 1 AND 14;
DELETE FROM orders WHERE id BETWEEN 1 AND 14;
DELETE FROM addresses WHERE id BETWEEN 1 AND 13;
DELETE FROM customers WHERE id BETWEEN 1 AND 10;
