-- People whose data is being removed, or has been: what is needed to find it is emptied when it is done. id is what the person may be shown.
CREATE TABLE erasures (
  id         TEXT PRIMARY KEY,
  source     TEXT NOT NULL,
  app        TEXT NOT NULL,
  user_id    TEXT NOT NULL,
  profiles   TEXT NOT NULL,
  people     TEXT NOT NULL,
  state      TEXT NOT NULL,
  pos        BIGINT NOT NULL DEFAULT 0,
  due_at     BIGINT NOT NULL,
  tries      INTEGER NOT NULL DEFAULT 0,
  counts     TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  done_at    BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX erasures_due ON erasures (due_at) WHERE state = 'pending';
