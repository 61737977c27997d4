-- Messages over several channels: the steps and what came of them, the one a message is at, when that one is left, and the mark up to which receipts of Messenger may
-- still come for one that was left.
ALTER TABLE messages ADD COLUMN steps TEXT NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN step INTEGER NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN step_due BIGINT NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN late_mark BIGINT NOT NULL DEFAULT 0;
CREATE INDEX messages_step_due ON messages (step_due) WHERE step_due > 0;
CREATE INDEX messages_late ON messages (person) WHERE late_mark > 0;

-- When the platform last said that a conversation's window was closed: that of 24 hours, and that of 7 days for answers by people.
ALTER TABLE conversations ADD COLUMN refused_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN human_refused_at BIGINT NOT NULL DEFAULT 0;

-- Stored rules.
CREATE TABLE routes (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL,
  doc        TEXT NOT NULL,
  is_default INTEGER NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX routes_name ON routes (name);
