-- Scripts of bots: each upload is a version of its application's set, of which at most one is active.
CREATE TABLE scripts (
  id           TEXT PRIMARY KEY,
  app          TEXT NOT NULL,
  version      INTEGER NOT NULL,
  dialect      TEXT NOT NULL,
  note         TEXT NOT NULL,
  files        BYTEA NOT NULL,
  active       INTEGER NOT NULL DEFAULT 0,
  created_at   BIGINT NOT NULL,
  activated_at BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX scripts_version ON scripts (app, version);
CREATE UNIQUE INDEX scripts_active ON scripts (app) WHERE active = 1;

-- What a bot knows of a person. pos is the last event of the log that it has answered, rev grows with every change.
CREATE TABLE bot_people (
  app        TEXT NOT NULL,
  person     TEXT NOT NULL,
  pos        BIGINT NOT NULL,
  rev        BIGINT NOT NULL,
  human      INTEGER NOT NULL DEFAULT 0,
  state      BYTEA NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (app, person)
);

-- What a bot will say later: delayed parts of a reply, and reminders.
CREATE TABLE bot_timers (
  id      TEXT PRIMARY KEY,
  part    INTEGER NOT NULL,
  app     TEXT NOT NULL,
  person  TEXT NOT NULL,
  kind    TEXT NOT NULL,
  name    TEXT NOT NULL,
  content BYTEA NOT NULL,
  due_at  BIGINT NOT NULL,
  seq     INTEGER NOT NULL
);
CREATE INDEX bot_timers_due ON bot_timers (due_at);
CREATE INDEX bot_timers_person ON bot_timers (app, person);
