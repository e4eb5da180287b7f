-- @metadata { "author": "dana", "description": "people who may sign in" }

-- UP
CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);

-- DOWN
DROP TABLE IF EXISTS users;
