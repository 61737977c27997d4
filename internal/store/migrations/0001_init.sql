-- Times are milliseconds since 1970 in UTC; 0 means none. @serial is the dialect's primary key of 64 bits, which values are given to by the writer.

CREATE TABLE settings (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
);

-- The one row whose lock is held to commit by whoever appends to either log: commit order is position order.
CREATE TABLE log_head (
  one INTEGER PRIMARY KEY,
  pos BIGINT NOT NULL
);
INSERT INTO log_head (one, pos) VALUES (1, 0);

CREATE TABLE nodes (
  id         TEXT PRIMARY KEY,
  expires_at BIGINT NOT NULL
);

CREATE TABLE leases (
  part       INTEGER PRIMARY KEY,
  owner      TEXT NOT NULL,
  epoch      BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);

CREATE TABLE cursors (
  name TEXT NOT NULL,
  part INTEGER NOT NULL,
  pos  BIGINT NOT NULL,
  PRIMARY KEY (name, part)
);

CREATE TABLE events (
  pos         @serial,
  part        INTEGER NOT NULL,
  app         TEXT NOT NULL,
  page        TEXT NOT NULL,
  person      TEXT NOT NULL,
  type        TEXT NOT NULL,
  channel     TEXT NOT NULL,
  entry_time  BIGINT NOT NULL,
  received_at BIGINT NOT NULL,
  dedup       BYTEA,
  raw         BYTEA,
  data        BYTEA
);
CREATE UNIQUE INDEX events_dedup ON events (dedup) WHERE dedup IS NOT NULL;
CREATE INDEX events_unowned ON events (pos) WHERE app = '';

CREATE TABLE messages (
  seq          @serial,
  id           TEXT NOT NULL,
  part         INTEGER NOT NULL,
  app          TEXT NOT NULL,
  person       TEXT NOT NULL,
  profile      TEXT NOT NULL,
  api_key      TEXT NOT NULL,
  status       TEXT NOT NULL,
  open         INTEGER NOT NULL,
  request      BYTEA NOT NULL,
  parts        INTEGER NOT NULL,
  parts_sent   INTEGER NOT NULL DEFAULT 0,
  echoed       BIGINT NOT NULL DEFAULT 0,
  mid          TEXT NOT NULL DEFAULT '',
  attempts     TEXT NOT NULL DEFAULT '',
  epoch        BIGINT NOT NULL DEFAULT 0,
  due_at       BIGINT NOT NULL DEFAULT 0,
  accepted_at  BIGINT NOT NULL,
  expires_at   BIGINT NOT NULL,
  sending_at   BIGINT NOT NULL DEFAULT 0,
  mark_at      BIGINT NOT NULL DEFAULT 0,
  sent_at      BIGINT NOT NULL DEFAULT 0,
  delivered_at BIGINT NOT NULL DEFAULT 0,
  read_at      BIGINT NOT NULL DEFAULT 0,
  ended_at     BIGINT NOT NULL DEFAULT 0,
  updated_at   BIGINT NOT NULL,
  error        TEXT NOT NULL DEFAULT '',
  late         INTEGER NOT NULL DEFAULT 0,
  resent       INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX messages_id ON messages (id);
-- A person's id belongs to one page, so that it says the conversation nearly alone; the application is not in the index to keep it small.
CREATE INDEX messages_conversation ON messages (person, seq);
CREATE INDEX messages_open ON messages (app, seq) WHERE open = 1;

CREATE TABLE idempotency (
  api_key     TEXT NOT NULL,
  key         TEXT NOT NULL,
  fingerprint BYTEA NOT NULL,
  answer      TEXT NOT NULL,
  created_at  BIGINT NOT NULL,
  PRIMARY KEY (api_key, key)
);
CREATE INDEX idempotency_created ON idempotency (created_at);

CREATE TABLE conversations (
  app             TEXT NOT NULL,
  person          TEXT NOT NULL,
  part            INTEGER NOT NULL,
  first_at        BIGINT NOT NULL,
  last_at         BIGINT NOT NULL,
  last_inbound_at BIGINT NOT NULL,
  delivered_mark  BIGINT NOT NULL DEFAULT 0,
  read_mark       BIGINT NOT NULL DEFAULT 0,
  read_seq        BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (app, person)
);

CREATE TABLE profiles (
  id         TEXT PRIMARY KEY,
  doc        TEXT NOT NULL,
  version    BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

-- Which profile a person of a page belongs to; fetch_at is when the platform is to be asked for the person's name and picture, 0 for not.
CREATE TABLE addresses (
  app         TEXT NOT NULL,
  person      TEXT NOT NULL,
  profile     TEXT NOT NULL,
  fetch_at    BIGINT NOT NULL DEFAULT 0,
  fetch_tries INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (app, person)
);
CREATE INDEX addresses_profile ON addresses (profile);
CREATE INDEX addresses_fetch ON addresses (fetch_at) WHERE fetch_at > 0;

CREATE TABLE applications (
  key           TEXT PRIMARY KEY,
  page_id       TEXT NOT NULL,
  app_id        TEXT NOT NULL,
  state         TEXT NOT NULL,
  doc           TEXT NOT NULL,
  access_token  TEXT NOT NULL,
  app_secret    TEXT NOT NULL,
  verify_token  TEXT NOT NULL,
  created_at    BIGINT NOT NULL,
  updated_at    BIGINT NOT NULL,
  last_event_at BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX applications_page ON applications (app_id, page_id);

-- The application whose door holds the one page callback of a Facebook app.
CREATE TABLE callbacks (
  app_id TEXT PRIMARY KEY,
  key    TEXT NOT NULL
);

CREATE TABLE api_keys (
  id           TEXT PRIMARY KEY,
  name         TEXT NOT NULL,
  hash         BYTEA NOT NULL,
  scopes       TEXT NOT NULL,
  applications TEXT NOT NULL,
  created_at   BIGINT NOT NULL,
  revoked_at   BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX api_keys_hash ON api_keys (hash);

CREATE TABLE subscriptions (
  id            TEXT PRIMARY KEY,
  kind          TEXT NOT NULL,
  state         TEXT NOT NULL,
  doc           TEXT NOT NULL,
  secrets       TEXT NOT NULL,
  start_pos     BIGINT NOT NULL,
  acked_pos     BIGINT NOT NULL DEFAULT 0,
  failing_since BIGINT NOT NULL DEFAULT 0,
  created_at    BIGINT NOT NULL,
  updated_at    BIGINT NOT NULL
);

CREATE TABLE deliveries (
  subscription TEXT NOT NULL,
  pos          BIGINT NOT NULL,
  part         INTEGER NOT NULL,
  app          TEXT NOT NULL,
  person       TEXT NOT NULL,
  status       TEXT NOT NULL,
  due_at       BIGINT NOT NULL DEFAULT 0,
  tries        INTEGER NOT NULL DEFAULT 0,
  attempts     TEXT NOT NULL DEFAULT '',
  created_at   BIGINT NOT NULL,
  updated_at   BIGINT NOT NULL,
  PRIMARY KEY (subscription, pos)
);
CREATE INDEX deliveries_lane ON deliveries (subscription, app, person, pos) WHERE status IN ('pending', 'waiting');
CREATE INDEX deliveries_due ON deliveries (subscription, due_at) WHERE status = 'pending';
