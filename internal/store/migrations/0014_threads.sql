-- When it was last seen that another app controls a conversation, and when that ours does; 0 for never.
ALTER TABLE conversations ADD COLUMN elsewhere_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN here_at BIGINT NOT NULL DEFAULT 0;
