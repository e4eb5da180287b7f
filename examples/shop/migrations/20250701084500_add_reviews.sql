-- @metadata {
--   "author": "dana", "description": "product reviews, their average, and what the support desk sees of a customer",
--   "risk": "low", "dataVolume": "small", "estimatedDuration": 60,
--   "tags": ["reviews"], "affectedTables": ["reviews", "product_ratings", "customer_overview"]
-- }

-- UP
CREATE TABLE reviews (
  id INTEGER PRIMARY KEY,
  product_id INTEGER NOT NULL REFERENCES products (id) ON DELETE CASCADE,
  customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
  stars INTEGER NOT NULL CHECK (stars BETWEEN 1 AND 5),
  words TEXT,
  written_at TEXT NOT NULL,
  hidden INTEGER NOT NULL DEFAULT 0 CHECK (hidden IN (0, 1)),
  UNIQUE (product_id, customer_id)
);

CREATE INDEX reviews_shown ON reviews (product_id, written_at DESC) WHERE hidden = 0;

CREATE VIEW product_ratings AS
SELECT product_id, count(*) AS reviews, round(avg(stars), 1) AS stars
FROM reviews
WHERE hidden = 0
GROUP BY product_id;

CREATE VIEW customer_overview AS
SELECT
  customers.id,
  customers.email,
  customers.full_name,
  (SELECT count(*) FROM orders WHERE orders.customer_id = customers.id) AS orders,
  (SELECT max(placed_at) FROM orders WHERE orders.customer_id = customers.id) AS last_order_at
FROM customers;

INSERT INTO reviews (id, product_id, customer_id, stars, words, written_at, hidden) VALUES
  (1, 1, 1, 5, 'Bright; I ordered again at once.', '2025-04-05T08:00:00Z', 0),
  (2, 7, 2, 4, NULL, '2025-04-06T10:00:00Z', 0),
  (3, 23, 3, 5, 'Mum''s favourite', '2025-04-08T18:30:00Z', 0),
  (4, 14, 5, 3, 'Good, but the tin was dented', '2025-04-09T09:10:00Z', 0),
  (5, 20, 5, 2, 'Drips', '2025-04-09T09:12:00Z', 0),
  (6, 8, 6, 5, NULL, '2025-04-11T07:00:00Z', 0),
  (7, 6, 6, 4, 'Solid for milk drinks', '2025-04-11T07:02:00Z', 0),
  (8, 16, 7, 5, 'Buy this, not the electric one', '2025-04-15T20:00:00Z', 0),
  (9, 12, 8, 1, 'http://spam.example.net', '2025-04-20T03:00:00Z', 1),
  (10, 1, 7, 4, NULL, '2025-05-02T12:00:00Z', 0);

-- DOWN
DROP VIEW customer_overview;
DROP VIEW product_ratings;
DROP TABLE reviews;
