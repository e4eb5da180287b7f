-- @metadata {
--   "author": "dana", "description": "index what is to be packed, while the shop goes on selling",
--   "risk": "low", "dataVolume": "large", "estimatedDuration": 60000,
--   "tags": ["orders", "performance"], "affectedTables": ["orders"]
-- }

-- UP
ALTER TABLE orders ADD INDEX orders_to_pack (status, placed_at), ALGORITHM=INPLACE, LOCK=NONE;

-- DOWN
ALTER TABLE orders DROP INDEX orders_to_pack;
