-- @metadata { "author": "kim", "description": "who buys what", "tags": ["feature"], "dependencies": ["1", "2"] }
-- UP
CREATE TABLE orders (id INTEGER PRIMARY KEY, buyer INTEGER NOT NULL, item INTEGER NOT NULL);

-- DOWN
DROP TABLE IF EXISTS orders;
