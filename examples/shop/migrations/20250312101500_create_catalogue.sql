-- @metadata {
--   "author": "dana", "description": "create categories, products and what belongs where",
--   "risk": "low", "dataVolume": "small", "estimatedDuration": 50,
--   "tags": ["catalogue"], "affectedTables": ["categories", "products", "product_categories"]
-- }

-- UP
CREATE TABLE categories (
  id INTEGER PRIMARY KEY,
  parent_id INTEGER REFERENCES categories (id) ON DELETE RESTRICT,
  slug TEXT NOT NULL UNIQUE CHECK (slug = lower(slug)),
  name TEXT NOT NULL
);

CREATE TABLE products (
  id INTEGER PRIMARY KEY,
  sku TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  description TEXT NOT NULL DEFAULT '',
  price_cents INTEGER NOT NULL CHECK (price_cents >= 0),
  price_since TEXT NOT NULL,
  discontinued_at TEXT
);

CREATE TABLE product_categories (
  product_id INTEGER NOT NULL REFERENCES products (id) ON DELETE CASCADE,
  category_id INTEGER NOT NULL REFERENCES categories (id) ON DELETE RESTRICT,
  PRIMARY KEY (product_id, category_id)
) WITHOUT ROWID;

CREATE INDEX categories_by_parent ON categories (parent_id);
CREATE INDEX products_by_category ON product_categories (category_id, product_id);

-- DOWN
DROP TABLE product_categories;
DROP TABLE products;
DROP TABLE categories;
