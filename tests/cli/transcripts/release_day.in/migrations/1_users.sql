-- @metadata { "author": "lee", "description": "who buys", "tags": ["feature"], "estimatedDuration": 100 }
-- UP
CREATE TABLE users (id INTEGER PRIMARY KEY);

-- DOWN
DROP TABLE IF EXISTS users;

-- VERIFY
SELECT count(*) = 0 FROM users;
