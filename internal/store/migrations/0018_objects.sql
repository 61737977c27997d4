-- What a webhook is about; empty for a page.
ALTER TABLE events ADD COLUMN object TEXT NOT NULL DEFAULT '';
