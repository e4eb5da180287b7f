-- @metadata {
--   "author": "dana", "description": "create products, and search over their names",
--   "risk": "low", "dataVolume": "small", "estimatedDuration": 50,
--   "tags": ["catalogue"], "affectedTables": ["products"]
-- }

-- UP
CREATE TABLE products (
  id BIGINT AUTO_INCREMENT PRIMARY KEY,
  sku VARCHAR(40) NOT NULL UNIQUE,
  name VARCHAR(200) NOT NULL,
  price_cents INT NOT NULL CHECK (price_cents >= 0),
  price_euros DECIMAL(10, 2) AS (price_cents / 100) VIRTUAL,
  FULLTEXT KEY products_searched (name)
) CHARACTER SET utf8mb4;

-- DOWN
DROP TABLE products;
