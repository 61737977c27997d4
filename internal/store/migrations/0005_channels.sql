-- Accounts at providers of channels beside Messenger. Secrets are one sealed JSON object.
CREATE TABLE channels (
  id         TEXT PRIMARY KEY,
  channel    TEXT NOT NULL,
  provider   TEXT NOT NULL,
  app        TEXT NOT NULL,
  state      TEXT NOT NULL,
  doc        TEXT NOT NULL,
  secrets    TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

-- Addresses that want nothing more on a channel.
CREATE TABLE opt_outs (
  channel TEXT NOT NULL,
  address TEXT NOT NULL,
  at      BIGINT NOT NULL,
  word    TEXT NOT NULL,
  PRIMARY KEY (channel, address)
);

-- Segments of messages that an SMS centre took, by the identifier it gave them. A receipt that comes before the answer leaves a row without message.
CREATE TABLE sms_segments (
  account    TEXT NOT NULL,
  ref        TEXT NOT NULL,
  message    TEXT NOT NULL,
  step       INTEGER NOT NULL,
  part       INTEGER NOT NULL,
  parts      INTEGER NOT NULL,
  state      TEXT NOT NULL,
  failure    TEXT NOT NULL,
  at         BIGINT NOT NULL,
  reported   TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (account, ref)
);
CREATE INDEX sms_segments_message ON sms_segments (message, step);
CREATE INDEX sms_segments_created ON sms_segments (created_at);

-- Segments of inbound messages that wait for the others.
CREATE TABLE sms_fragments (
  account    TEXT NOT NULL,
  sender     TEXT NOT NULL,
  recipient  TEXT NOT NULL,
  ref        INTEGER NOT NULL,
  parts      INTEGER NOT NULL,
  part       INTEGER NOT NULL,
  body       TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (account, sender, recipient, ref, parts, part)
);
CREATE INDEX sms_fragments_created ON sms_fragments (created_at);
