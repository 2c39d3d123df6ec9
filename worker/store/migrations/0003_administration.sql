-- Storage version 2: what administration needs. Readable by a server of version 1, which knows nothing of these tables.

-- Owners who rely on a client: it is connected there, or was granted something. Written by the owner's object before the first answer that
-- makes it so, read when an operator blocks or unblocks a client (worker/objects/client.ts). Dies with the client or the account.
CREATE TABLE reliance (
  client_id TEXT NOT NULL,
  owner TEXT NOT NULL,
  PRIMARY KEY (client_id, owner)
) STRICT, WITHOUT ROWID;
INSERT INTO reliance (client_id, owner) SELECT DISTINCT client_id, owner FROM connection;

-- Whom an operator has invited (REGISTRATION = invited). Read at the first sign-in of an address and on /admin. Dies when revoked.
CREATE TABLE invitation (
  id TEXT PRIMARY KEY NOT NULL,
  address_mac TEXT NOT NULL UNIQUE,        -- keyed hash "invitation" of the address; the address itself is nowhere
  created_at INTEGER NOT NULL,
  exp INTEGER NOT NULL,
  used_at INTEGER
) STRICT;

UPDATE meta SET v = '2' WHERE k = 'version';
