-- @metadata {
--   "author": "priya", "description": "load the opening catalogue",
--   "type": "dml", "risk": "low", "dataVolume": "small", "estimatedDuration": 100,
--   "tags": ["catalogue", "seed"], "dependencies": ["20250312101500"],
--   "affectedTables": ["categories", "products", "product_categories"]
-- }

INSERT INTO categories (id, parent_id, slug, name) VALUES
  (1, NULL, 'coffee', 'Coffee'),
  (2, 1, 'filter', 'Filter coffee'),
  (3, 1, 'espresso', 'Espresso'),
  (4, NULL, 'tea', 'Tea'),
  (5, 4, 'green-tea', 'Green tea'),
  (6, 4, 'black-tea', 'Black tea'),
  (7, NULL, 'equipment', 'Equipment'),
  (8, 7, 'grinders', 'Grinders'),
  (9, 7, 'kettles', 'Kettles; pots'),
  (10, NULL, 'gifts', 'Gifts & vouchers');

INSERT INTO products (id, sku, name, description, price_cents, price_since, discontinued_at) VALUES
  (1, 'COF-ETH-250', 'Yirgacheffe, 250 g', 'Washed; bergamot and apricot', 1090, '2025-03-18T08:30:00Z', NULL),
  (2, 'COF-ETH-1000', 'Yirgacheffe, 1 kg', 'Washed; bergamot and apricot', 3890, '2025-03-18T08:30:00Z', NULL),
  (3, 'COF-COL-250', 'Huila, 250 g', 'Caramel -- and red apple', 990, '2025-03-18T08:30:00Z', NULL),
  (4, 'COF-COL-1000', 'Huila, 1 kg', 'Caramel -- and red apple', 3490, '2025-03-18T08:30:00Z', NULL),
  (5, 'COF-BRA-250', 'Cerrado, 250 g', 'Hazelnut, low acidity', 850, '2025-03-18T08:30:00Z', NULL),
  (6, 'COF-BRA-1000', 'Cerrado, 1 kg', 'Hazelnut, low acidity', 2990, '2025-03-18T08:30:00Z', NULL),
  (7, 'COF-HSE-250', 'House espresso, 250 g', 'The one we drink ourselves', 890, '2025-03-18T08:30:00Z', NULL),
  (8, 'COF-HSE-1000', 'House espresso, 1 kg', 'The one we drink ourselves', 3190, '2025-03-18T08:30:00Z', NULL),
  (9, 'COF-DEC-250', 'Decaf, 250 g', 'Sugar cane process', 1050, '2025-03-18T08:30:00Z', NULL),
  (10, 'TEA-SEN-100', 'Sencha, 100 g', 'First flush, Shizuoka (静岡)', 1490, '2025-03-18T08:30:00Z', NULL),
  (11, 'TEA-GEN-100', 'Genmaicha, 100 g', 'With roasted rice', 1190, '2025-03-18T08:30:00Z', NULL),
  (12, 'TEA-MAT-30', 'Matcha, 30 g', 'Stone ground', 2490, '2025-03-18T08:30:00Z', NULL),
  (13, 'TEA-ASS-100', 'Assam, 100 g', 'Malty; takes milk', 890, '2025-03-18T08:30:00Z', NULL),
  (14, 'TEA-DAR-100', 'Darjeeling, 100 g', 'The planter''s own garden', 1690, '2025-03-18T08:30:00Z', NULL),
  (15, 'TEA-EAR-100', 'Earl Grey, 100 g', 'With bergamot oil', 990, '2025-03-18T08:30:00Z', NULL),
  (16, 'EQP-GRI-H', 'Hand grinder', 'Steel burrs, 30 g', 8900, '2025-03-18T08:30:00Z', NULL),
  (17, 'EQP-GRI-E', 'Electric grinder', 'Flat burrs, 64 mm', 34900, '2025-03-18T08:30:00Z', NULL),
  (18, 'EQP-KET-G', 'Gooseneck kettle', '0.9 l, hob', 5900, '2025-03-18T08:30:00Z', NULL),
  (19, 'EQP-KET-E', 'Electric gooseneck kettle', '0.9 l, holds 60–100 °C', 12900, '2025-03-18T08:30:00Z', NULL),
  (20, 'EQP-POT-06', 'Teapot', '0.6 l /* glazed */', 4500, '2025-03-18T08:30:00Z', NULL),
  (21, 'EQP-DRI-02', 'Dripper 02', 'Porcelain', 2400, '2025-03-18T08:30:00Z', NULL),
  (22, 'EQP-FIL-02', 'Filter papers 02', '100 pieces', 650, '2025-03-18T08:30:00Z', NULL),
  (23, 'GFT-BOX-S', 'Tasting box', 'Three coffees, 60 g each', 1900, '2025-03-18T08:30:00Z', NULL),
  (24, 'GFT-VOU-25', 'Voucher', 'Printed', 2500, '2025-03-18T08:30:00Z', NULL);

INSERT INTO product_categories (product_id, category_id) VALUES
  (1, 2), (2, 2), (3, 2), (4, 2), (5, 2), (5, 3), (6, 2), (6, 3), (7, 3), (8, 3), (9, 3),
  (10, 5), (11, 5), (12, 5), (13, 6), (14, 6), (15, 6),
  (16, 8), (17, 8), (18, 9), (19, 9), (20, 9), (21, 7), (22, 7),
  (23, 10), (23, 1), (24, 10);
