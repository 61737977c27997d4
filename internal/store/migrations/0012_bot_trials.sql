-- What the bot begins after a stop that was none of its own making: what stands here at the next start was under way when the process ended.
CREATE TABLE bot_trials (
  id    TEXT PRIMARY KEY,
  part  INTEGER NOT NULL,
  tries INTEGER NOT NULL,
  at    BIGINT NOT NULL
);
