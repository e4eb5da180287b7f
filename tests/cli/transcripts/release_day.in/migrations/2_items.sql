-- @metadata { "author": "lee", "description": "what is sold", "tags": ["feature"] }
-- UP
CREATE TABLE items (id INTEGER PRIMARY KEY);

-- DOWN
DROP TABLE IF EXISTS items;
