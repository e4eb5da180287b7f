-- UP
INSERT INTO users (name) VALUES ('dana');
