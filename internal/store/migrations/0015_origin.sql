-- Through which dialect's API a message came, empty for none, and what that dialect keeps with it.
ALTER TABLE messages ADD COLUMN origin TEXT NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN origin_data BYTEA;
