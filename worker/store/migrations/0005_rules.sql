-- Storage version 3: rules of any kind beside plain shares. Readable by a server of version 2, which knows nothing of these tables and so
-- gives nothing because of them. Rules that take away are another matter: an owner's object that holds some refuses to run on that server.

-- A rule (worker/policy/policy.ts) that is no plain share with a person. Read by the owner.
CREATE TABLE rule (
  owner TEXT NOT NULL,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,                      -- 'rule' | 'block': shuts an address out
  tier TEXT NOT NULL,                      -- 'owner' | 'org': of those who joined this owner's organisation
  effect TEXT NOT NULL,                    -- 'permit' | 'forbid' | 'require'
  doc TEXT NOT NULL,                       -- JSON; whoever is named in it is a policy MAC
  label TEXT,                              -- its name and the words behind the MACs: JWE to the owner's label key
  rev INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (owner, id)
) STRICT, WITHOUT ROWID;

-- What shares and rules were before they were changed or taken away. Read by the owner, to undo. Dies after 400 days, or after twenty changes.
CREATE TABLE rule_past (
  owner TEXT NOT NULL,
  id TEXT NOT NULL,
  rule_id TEXT NOT NULL,
  kind TEXT NOT NULL,                      -- 'policy' | 'rule': the table
  rev INTEGER NOT NULL,
  row TEXT NOT NULL,                       -- JSON: the row as it was
  ended_at INTEGER NOT NULL,
  PRIMARY KEY (owner, id)
) STRICT, WITHOUT ROWID;

-- Groups of people, and who is in them: policy MACs and labels that only the owner's devices can open. Read by the owner.
CREATE TABLE person_group (
  owner TEXT NOT NULL,
  id TEXT NOT NULL,
  label TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (owner, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE group_member (
  owner TEXT NOT NULL,
  id TEXT NOT NULL,
  group_id TEXT NOT NULL,
  mac TEXT NOT NULL,
  label TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (owner, id)
) STRICT, WITHOUT ROWID;

-- Types of things: which scope brings which others along, and whose permit counts. `id` is the type. Read by the owner.
CREATE TABLE thing_type (
  owner TEXT NOT NULL,
  id TEXT NOT NULL,
  doc TEXT NOT NULL,                       -- JSON: ThingType
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (owner, id)
) STRICT, WITHOUT ROWID;

-- What a thing lies in, and the words by which rules speak of it (JSON array); as its service registered it.
ALTER TABLE resource ADD COLUMN parent TEXT;
ALTER TABLE resource ADD COLUMN labels TEXT;

UPDATE meta SET v = '3' WHERE k = 'version';
