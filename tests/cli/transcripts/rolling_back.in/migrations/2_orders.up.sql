CREATE TABLE orders (id INTEGER PRIMARY KEY, user INTEGER REFERENCES users (id));
CREATE INDEX orders_by_user ON orders (user);
