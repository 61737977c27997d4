-- Events that a reader of the log failed on again and again, and went on without.
CREATE TABLE set_aside (
  pos      BIGINT NOT NULL,
  reader   TEXT NOT NULL,
  app      TEXT NOT NULL,
  person   TEXT NOT NULL,
  type     TEXT NOT NULL,
  reason   TEXT NOT NULL,
  failures INTEGER NOT NULL,
  at       BIGINT NOT NULL,
  PRIMARY KEY (pos, reader)
);
CREATE INDEX set_aside_app ON set_aside (app, pos);
CREATE INDEX set_aside_person ON set_aside (person);

-- Profiles that were imported could not be found by the digits of their phone number.
INSERT INTO profile_fields (field, value, profile)
SELECT 'phoneDigits', d, profile FROM (
  SELECT profile, CASE WHEN substr(n, 1, 2) = '00' THEN substr(n, 3) ELSE n END AS d FROM (
    SELECT profile, replace(replace(replace(replace(replace(replace(value, '+', ''), ' ', ''), '-', ''), '.', ''), '(', ''), ')', '') AS n
    FROM profile_fields WHERE field = 'phoneNumber') plain) numbers
WHERE length(d) BETWEEN 3 AND 20
  AND NOT EXISTS (SELECT 1 FROM profile_fields x WHERE x.profile = numbers.profile AND x.field = 'phoneDigits');
