-- @metadata {
--   "author": "priya", "description": "full-text search over product names and descriptions",
--   "risk": "low", "dataVolume": "small", "estimatedDuration": 150,
--   "tags": ["catalogue", "search"], "affectedTables": ["product_search", "products"]
-- }

-- UP
CREATE VIRTUAL TABLE product_search USING fts5(
  name, description,
  content='products', content_rowid='id',
  tokenize="unicode61 remove_diacritics 2"
);

INSERT INTO product_search (rowid, name, description)
SELECT id, name, description FROM products;

CREATE TRIGGER products_indexed AFTER INSERT ON products
BEGIN
  INSERT INTO product_search (rowid, name, description) VALUES (NEW.id, NEW.name, NEW.description);
END;

-- An index over another table's content is told what it is to forget.
CREATE TRIGGER products_unindexed AFTER DELETE ON products
BEGIN
  INSERT INTO product_search (product_search, rowid, name, description)
  VALUES ('delete', OLD.id, OLD.name, OLD.description);
END;

CREATE TRIGGER products_reindexed AFTER UPDATE OF name, description ON products
BEGIN
  INSERT INTO product_search (product_search, rowid, name, description)
  VALUES ('delete', OLD.id, OLD.name, OLD.description);
  INSERT INTO product_search (rowid, name, description) VALUES (NEW.id, NEW.name, NEW.description);
END;

-- VERIFY
SELECT count(*) = 2 FROM product_search WHERE product_search MATCH 'yirgacheffe';

-- DOWN
DROP TRIGGER products_reindexed;
DROP TRIGGER products_unindexed;
DROP TRIGGER products_indexed;
DROP TABLE product_search;
