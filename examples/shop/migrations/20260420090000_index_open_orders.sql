-- @metadata {
--   "author": "dana", "description": "indexes for the packing list and for the search by name at the desk",
--   "risk": "low", "dataVolume": "medium", "estimatedDuration": 300,
--   "tags": ["orders", "performance"], "affectedTables": ["orders", "customers"]
-- }

-- UP
-- What is packed is a few dozen rows of a table that only grows.
CREATE INDEX orders_to_pack ON orders (placed_at) WHERE status IN ('placed', 'paid');
CREATE INDEX orders_by_month ON orders (substr(placed_at, 1, 7), status);
CREATE INDEX customers_by_name ON customers (lower(full_name));

-- DOWN
DROP INDEX customers_by_name;
DROP INDEX orders_by_month;
DROP INDEX orders_to_pack;
