-- Sessions of Comapi's JavaScript SDK: a customer who has shown a token of the business's own.
CREATE TABLE sessions (
  id         TEXT PRIMARY KEY,
  app        TEXT NOT NULL,
  profile    TEXT NOT NULL,
  device     TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  ended_at   BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX sessions_expires ON sessions (expires_at);
CREATE INDEX sessions_profile ON sessions (profile);
