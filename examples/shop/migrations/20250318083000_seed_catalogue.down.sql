DELETE FROM product_categories WHERE product_id BETWEEN 1 AND 24;
DELETE FROM products WHERE id BETWEEN 1 AND 24;
-- Children first: a parent is referenced by its own table.
DELETE FROM categories WHERE parent_id IS NOT NULL AND id BETWEEN 1 AND 10;
DELETE FROM categories WHERE id BETWEEN 1 AND 10;
