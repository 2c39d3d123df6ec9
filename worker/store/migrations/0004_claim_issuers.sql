-- Storage version 2: issuers whose word about a requesting party counts (UMA Grant 3.3.6 `issuer`, 5.7). Readable by the server of before,
-- which knows nothing of these tables.

-- Who may vouch. An owner's rows are written by her object only, like those of 0001_initial.sql, and read by it; rows of the owner '' are
-- the operator's and count for all. Names services and never a person. A row dies when the owner takes it out or with the account; the
-- operator's are disabled, and a disabled one counts against everybody's.
CREATE TABLE claim_issuer (
  owner TEXT NOT NULL,
  id TEXT NOT NULL,                        -- of the operator's rows: the issuer itself
  issuer TEXT NOT NULL,                    -- as in `iss`
  jwks_uri TEXT,                           -- where its keys are, or
  jwks TEXT,                               -- JSON: the keys
  formats TEXT NOT NULL,                   -- JSON array: claim_token_format
  claims TEXT NOT NULL,                    -- JSON array: claims that it may speak for
  email_domains TEXT,                      -- JSON array: mail domains for whose addresses it counts; absent: any
  audiences TEXT NOT NULL,                 -- JSON: client id here -> array of client ids there
  created_at INTEGER NOT NULL,
  disabled_at INTEGER,
  PRIMARY KEY (owner, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX claim_issuer_issuer ON claim_issuer (issuer, owner);

-- Owners with grants that rest on an issuer's word. Written by the owner's object before the first answer that makes it so, read when an
-- operator blocks or unblocks the issuer (worker/objects/client.ts). Dies with the account.
CREATE TABLE issuer_reliance (
  issuer TEXT NOT NULL,
  owner TEXT NOT NULL,
  PRIMARY KEY (issuer, owner)
) STRICT, WITHOUT ROWID;

UPDATE meta SET v = '2' WHERE k = 'version' AND v < '2';
