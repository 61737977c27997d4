-- Whose a profile is that has no address yet: the application whose key, channel or session made it; empty for nobody's.
ALTER TABLE profiles ADD COLUMN app TEXT NOT NULL DEFAULT '';

-- The applications of the key that made a state, and of the key that asked for an erasure, as a list in JSON; empty for a key of all.
ALTER TABLE opt_in_states ADD COLUMN apps TEXT NOT NULL DEFAULT '';
ALTER TABLE erasures ADD COLUMN apps TEXT NOT NULL DEFAULT '';

-- An opt-out belongs to an application where it came over an account of one; an empty application is all of them.
CREATE TABLE opt_outs_owned (
  channel TEXT NOT NULL,
  address TEXT NOT NULL,
  app     TEXT NOT NULL,
  at      BIGINT NOT NULL,
  word    TEXT NOT NULL,
  PRIMARY KEY (channel, address, app)
);
INSERT INTO opt_outs_owned (channel, address, app, at, word) SELECT channel, address, '', at, word FROM opt_outs;
DROP TABLE opt_outs;
ALTER TABLE opt_outs_owned RENAME TO opt_outs;

-- Routes are named within their application. The key of one stands first in its document, and has 32 digits.
ALTER TABLE routes ADD COLUMN app TEXT NOT NULL DEFAULT '';
UPDATE routes SET app = substr(doc, 17, 32) WHERE substr(doc, 1, 16) = '{"application":"';
DROP INDEX routes_name;
CREATE UNIQUE INDEX routes_name ON routes (app, name);

-- What counts once, or no more: challenges that were answered, requests that were taken, sessions that were signed out of. Each is kept until it would be over anyway.
CREATE TABLE spent (
  what       TEXT PRIMARY KEY,
  expires_at BIGINT NOT NULL
);
CREATE INDEX spent_expires ON spent (expires_at);
