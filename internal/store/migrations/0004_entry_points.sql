-- Codes and links that say where a person came from.
CREATE TABLE entry_points (
  id         TEXT PRIMARY KEY,
  app        TEXT NOT NULL,
  kind       TEXT NOT NULL,
  ref        TEXT NOT NULL,
  slug       TEXT NOT NULL,
  name       TEXT NOT NULL,
  campaign   TEXT NOT NULL,
  tags       TEXT NOT NULL,
  prefill    TEXT NOT NULL,
  expires_at BIGINT NOT NULL DEFAULT 0,
  retired_at BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX entry_points_slug ON entry_points (slug);
CREATE UNIQUE INDEX entry_points_ref ON entry_points (app, ref) WHERE ref <> '';

-- How a person came the first time and the last; pending says what of the last has yet to follow: 1 a message of theirs, 2 an answer.
CREATE TABLE touches (
  app     TEXT NOT NULL,
  person  TEXT NOT NULL,
  first   TEXT NOT NULL,
  last    TEXT NOT NULL,
  pending INTEGER NOT NULL,
  PRIMARY KEY (app, person)
);

-- Counts of what came of entry points. level 0: quarters of an hour without dimensions; 1: quarters of an hour; 2: days in UTC.
CREATE TABLE entry_counts (
  app    TEXT NOT NULL,
  level  INTEGER NOT NULL,
  start  BIGINT NOT NULL,
  point  TEXT NOT NULL,
  ref    TEXT NOT NULL,
  source TEXT NOT NULL,
  metric TEXT NOT NULL,
  n      BIGINT NOT NULL,
  value  DOUBLE PRECISION NOT NULL,
  PRIMARY KEY (level, app, start, point, ref, source, metric)
);

CREATE TABLE goals (
  id      TEXT PRIMARY KEY,
  app     TEXT NOT NULL,
  person  TEXT NOT NULL,
  name    TEXT NOT NULL,
  value   DOUBLE PRECISION NOT NULL,
  at      BIGINT NOT NULL
);
CREATE INDEX goals_person ON goals (app, person, name);

-- What a returning opt-in binds to a profile. The token holds the handle only.
CREATE TABLE opt_in_states (
  handle     TEXT PRIMARY KEY,
  app        TEXT NOT NULL,
  profile    TEXT NOT NULL,
  data       BYTEA,
  single_use INTEGER NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at    BIGINT NOT NULL DEFAULT 0,
  used_by    TEXT NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL
);
CREATE INDEX opt_in_states_expires ON opt_in_states (expires_at);

-- Keys of tokens and signed links, the newest in use and the older still known.
CREATE TABLE token_keys (
  id         INTEGER PRIMARY KEY,
  sealed     TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
