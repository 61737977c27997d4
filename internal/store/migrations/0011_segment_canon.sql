-- What an SMS centre's identifier is compared by: it may be written with zeros before it, in either case, in decimal or hexadecimal.
ALTER TABLE sms_segments ADD COLUMN canon TEXT NOT NULL DEFAULT '';
UPDATE sms_segments SET canon = ltrim(lower(ref), '0');
CREATE INDEX sms_segments_canon ON sms_segments (account, canon);
