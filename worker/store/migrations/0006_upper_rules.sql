-- Storage version 3: rules above the owner's own. Readable by a server of version 2, which knows nothing of these tables; an owner's object
-- that holds a copy of rules that take away refuses to run on it.

-- Rules of the platform, for everybody: they forbid and demand, they never permit. Written on /admin, read by the object that carries them to
-- every owner, and by the objects of new owners. Die when dropped.
CREATE TABLE platform_rule (
  id TEXT PRIMARY KEY NOT NULL,
  doc TEXT NOT NULL,                       -- JSON: Policy
  label TEXT NOT NULL,                     -- what operators call it
  rev INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Who has joined an organisation, in the organisation's record; `id` is the member. Read by the organisation.
CREATE TABLE org_member (
  owner TEXT NOT NULL,
  id TEXT NOT NULL,
  joined_at INTEGER NOT NULL,
  PRIMARY KEY (owner, id)
) STRICT, WITHOUT ROWID;

-- Which organisations an owner has joined, in the owner's record; `id` is the organisation. Read by the owner.
CREATE TABLE membership (
  owner TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,                      -- of the organisation, as it called itself then
  joined_at INTEGER NOT NULL,
  PRIMARY KEY (owner, id)
) STRICT, WITHOUT ROWID;

UPDATE meta SET v = '3' WHERE k = 'version';
