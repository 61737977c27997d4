-- The fields by which profiles are found, in lower case.
CREATE TABLE profile_fields (
  field   TEXT NOT NULL,
  value   TEXT NOT NULL,
  profile TEXT NOT NULL,
  PRIMARY KEY (field, value, profile)
);
CREATE INDEX profile_fields_profile ON profile_fields (profile);
