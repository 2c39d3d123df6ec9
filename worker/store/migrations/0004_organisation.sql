-- Storage version 2: whom a client acts for by itself. Readable by a server of version 2 without it, which knows nothing of this table.

-- The one owner who has allowed a client to get protection API tokens without being asked each time (RFC 6749 4.4, UMA FedAuthz 1.3). It only
-- says whom to ask: whether the owner has connected the client, and allowed this, is the owner's object's. Dies with the client.
CREATE TABLE organisation (
  client_id TEXT PRIMARY KEY NOT NULL,
  owner TEXT NOT NULL
) STRICT, WITHOUT ROWID;

UPDATE meta SET v = '2' WHERE k = 'version' AND v < '2';
