-- UP
-- mledger:allow rename-table the one program that reads it is stopped
ALTER TABLE users RENAME TO people;
CREATE INDEX idx_people_name ON people (name);

-- DOWN
DROP INDEX idx_people_name;
ALTER TABLE people RENAME TO users;
