-- @metadata {
--   "author": "dana", "description": "create customers and their addresses",
--   "breakingChange": false, "risk": "low", "dataVolume": "small", "estimatedDuration": 50,
--   "tags": ["customers"], "affectedTables": ["customers", "addresses"]
-- }

-- UP
CREATE TABLE customers (
  id BIGINT AUTO_INCREMENT PRIMARY KEY,
  email VARCHAR(254) NOT NULL,
  full_name VARCHAR(200) NOT NULL,
  phone VARCHAR(40),
  created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  UNIQUE KEY customers_by_email (email)
) CHARACTER SET utf8mb4;

CREATE TABLE addresses (
  id BIGINT AUTO_INCREMENT PRIMARY KEY,
  customer_id BIGINT NOT NULL,
  purpose ENUM('billing', 'shipping') NOT NULL,
  line1 VARCHAR(200) NOT NULL,
  postcode VARCHAR(20) NOT NULL,
  city VARCHAR(100) NOT NULL,
  country CHAR(2) NOT NULL DEFAULT 'DE',
  CONSTRAINT addresses_customer FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE CASCADE
) CHARACTER SET utf8mb4;

-- DOWN
DROP TABLE addresses;
DROP TABLE customers;
