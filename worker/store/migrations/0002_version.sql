-- Storage version 2: the record says its version. From here on each migration ends by setting it to the version of the release that it
-- belongs to (worker/storage/version.ts).
-- Rule: one step back still reads it. A migration only adds: tables, indexes, columns that may be null or have a default. The server of
-- the version before runs on the result, since it does so between migration and upload, and after a deployment was taken back. What it
-- no longer needs goes two versions later.

-- What the record says of itself. Read once by each isolate. Never dies.
CREATE TABLE meta (
  k TEXT PRIMARY KEY NOT NULL,
  v TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta (k, v) VALUES ('version', '2');
