-- Containers of actions, as Infobip's API has them; the actions are subscriptions. One with a name is an application of its OMNI Chat.
CREATE TABLE infobip_configurations (
  key        TEXT PRIMARY KEY,
  app        TEXT NOT NULL,
  name       TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX infobip_configurations_app ON infobip_configurations (app);

-- Sessions by which a key is used without being sent: what is kept is the hash of the token.
CREATE TABLE infobip_sessions (
  hash       BYTEA PRIMARY KEY,
  api_key    BYTEA NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX infobip_sessions_expires ON infobip_sessions (expires_at);

-- Delivery reports that wait to be fetched, each once, or, where there is a host, to be posted. What they say is in their events.
CREATE TABLE infobip_reports (
  pos        BIGINT PRIMARY KEY,
  part       INTEGER NOT NULL,
  app        TEXT NOT NULL,
  api        TEXT NOT NULL,
  bulk       TEXT NOT NULL,
  known      TEXT NOT NULL,
  message    TEXT NOT NULL,
  kind       TEXT NOT NULL,
  channel    TEXT NOT NULL,
  host       TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  taken_at   BIGINT NOT NULL DEFAULT 0,
  due_at     BIGINT NOT NULL DEFAULT 0,
  tries      INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX infobip_reports_message ON infobip_reports (message, kind);
CREATE INDEX infobip_reports_waiting ON infobip_reports (api, pos) WHERE taken_at = 0 AND host = '';
CREATE INDEX infobip_reports_due ON infobip_reports (due_at) WHERE due_at > 0;
CREATE INDEX infobip_reports_created ON infobip_reports (created_at);
