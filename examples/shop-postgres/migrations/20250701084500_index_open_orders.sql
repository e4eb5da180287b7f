-- @metadata {
--   "author": "dana", "description": "index what is to be packed, while the shop goes on selling",
--   "risk": "low", "dataVolume": "large", "estimatedDuration": 60000,
--   "tags": ["orders", "performance"], "affectedTables": ["orders"]
-- }

-- UP
-- The only statement of its file, so it runs outside of a transaction without being asked to.
CREATE INDEX CONCURRENTLY orders_to_pack ON orders (placed_at) WHERE status IN ('placed', 'paid');

-- DOWN
DROP INDEX CONCURRENTLY orders_to_pack;
