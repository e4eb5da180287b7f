-- @metadata {
--   "author": "tomas", "description": "coupons, each order at most once per coupon",
--   "risk": "low", "dataVolume": "small", "estimatedDuration": 60,
--   "tags": ["orders", "marketing"], "dependencies": ["20250402140000"],
--   "affectedTables": ["coupons", "order_coupons"]
-- }

CREATE TABLE coupons (
  id INTEGER PRIMARY KEY,
  code TEXT NOT NULL,
  percent_off INTEGER CHECK (percent_off BETWEEN 1 AND 100),
  cents_off INTEGER CHECK (cents_off > 0),
  valid_from TEXT NOT NULL,
  valid_until TEXT,
  withdrawn_at TEXT,
  CHECK ((percent_off IS NULL) <> (cents_off IS NULL)),
  CHECK (valid_until IS NULL OR valid_until > valid_from)
);

CREATE TABLE order_coupons (
  order_id INTEGER NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
  coupon_id INTEGER NOT NULL REFERENCES coupons (id) ON DELETE RESTRICT,
  cents_off INTEGER NOT NULL CHECK (cents_off > 0),
  PRIMARY KEY (order_id, coupon_id)
) WITHOUT ROWID;

-- A code may be used again once the coupon that had it is withdrawn.
CREATE UNIQUE INDEX coupons_code_in_use ON coupons (upper(code)) WHERE withdrawn_at IS NULL;

INSERT INTO coupons (id, code, percent_off, cents_off, valid_from, valid_until, withdrawn_at) VALUES
  (1, 'WELCOME10', 10, NULL, '2025-03-18T00:00:00Z', NULL, NULL),
  (2, 'Spring', NULL, 500, '2025-03-18T00:00:00Z', '2025-06-01T00:00:00Z', '2025-06-01T00:00:00Z'),
  (3, 'SPRING', NULL, 700, '2026-03-01T00:00:00Z', '2026-06-01T00:00:00Z', NULL),
  (4, 'NORD-15', 15, NULL, '2025-04-01T00:00:00Z', NULL, NULL);

INSERT INTO order_coupons (order_id, coupon_id, cents_off) VALUES (1, 1, 283), (5, 2, 500), (13, 4, 4875);
