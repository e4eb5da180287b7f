-- @metadata {
--   "author": "dana", "description": "purchase cost of each product, and the margin that follows from it",
--   "risk": "low", "dataVolume": "small", "estimatedDuration": 60,
--   "tags": ["catalogue", "prices"], "affectedTables": ["products"], "ticket": "SHOP-139"
-- }

-- UP
ALTER TABLE products ADD COLUMN cost_cents INTEGER CHECK (cost_cents >= 0);
ALTER TABLE products ADD COLUMN margin_cents INTEGER
  GENERATED ALWAYS AS (price_cents - cost_cents) VIRTUAL;

UPDATE products
SET cost_cents = price_cents * CASE
  WHEN sku LIKE 'COF-%' THEN 55
  WHEN sku LIKE 'TEA-%' THEN 48
  WHEN sku LIKE 'EQP-%' THEN 70
  ELSE 60
END / 100
WHERE sku <> 'GFT-VOU-25';

CREATE INDEX products_by_margin ON products (margin_cents) WHERE cost_cents IS NOT NULL;

-- DOWN
DROP INDEX products_by_margin;
ALTER TABLE products DROP COLUMN margin_cents;
ALTER TABLE products DROP COLUMN cost_cents;
