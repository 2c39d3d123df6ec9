-- The record. Who may read a table and when its rows die stands beside it. No table holds a readable address, name, token or ticket:
-- addresses are keyed hashes (claim values and policies) or sealed; labels are JWEs to the owner's label key; secrets are SHA-256.
-- Rows of connection, resource, person, policy and activity are written by their owner's object only, each statement
-- `WHERE EXISTS (SELECT 1 FROM owner WHERE id = ? AND writer = ?)`, so that a late write of a dead instance fails.
-- Times are seconds since 1970.

-- One row an owner. Read by sign-in and by the owner's object. Dies with the account.
CREATE TABLE owner (
  id TEXT PRIMARY KEY NOT NULL,
  address_mac TEXT NOT NULL UNIQUE,        -- keyed hash "owner-address" of the sign-in address
  address_sealed TEXT NOT NULL,            -- the owner's own address for notices, sealed with the Keys object's key
  label_public TEXT NOT NULL,              -- JWK, public half of the label key
  label_recovery TEXT NOT NULL,            -- private half, wrapped with the recovery code
  writer INTEGER NOT NULL DEFAULT 1,       -- number of the one instance that may write this owner's rows
  created_at INTEGER NOT NULL
) STRICT;

-- Passkeys of owners (WebAuthn). Read at sign-in. Die when removed or with the account.
CREATE TABLE passkey (
  id TEXT PRIMARY KEY NOT NULL,            -- credential id, base64url
  owner TEXT NOT NULL REFERENCES owner (id),
  public_key TEXT NOT NULL,                -- COSE key, base64url
  counter INTEGER NOT NULL,
  transports TEXT NOT NULL,                -- JSON array
  created_at INTEGER NOT NULL,
  last_used_at INTEGER
) STRICT;
CREATE INDEX passkey_owner ON passkey (owner);

-- Registered OAuth clients (RFC 7591). Read by everybody's endpoints. Unused ones may be swept by the operator.
CREATE TABLE client (
  id TEXT PRIMARY KEY NOT NULL,
  secret_hash TEXT,                        -- SHA-256 of a secret of 256 bits; absent for public clients
  metadata TEXT NOT NULL,                  -- JSON, as registered
  created_at INTEGER NOT NULL,
  disabled_at INTEGER
) STRICT;

-- A service (resource server) or wallet that an owner connected. PAT = (owner, connection). Read by the owner.
CREATE TABLE connection (
  owner TEXT NOT NULL,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,                      -- 'service' | 'wallet'
  client_id TEXT NOT NULL,
  scope TEXT NOT NULL,
  wrapped_label_key TEXT,                  -- wallets: the label key's private half, JWE to the wallet's own key
  created_at INTEGER NOT NULL,
  PRIMARY KEY (owner, id)
) STRICT, WITHOUT ROWID;

-- A thing that a service registered (UMA FedAuthz 3). Read by the owner; its service sees ids, scopes and its own description.
CREATE TABLE resource (
  owner TEXT NOT NULL,
  id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  label TEXT,                              -- name, description, icon: JWE to the owner's label key
  description TEXT NOT NULL,               -- the description as registered, sealed to the service's own tokens
  type TEXT,
  scopes TEXT NOT NULL,                    -- JSON array
  created_at INTEGER NOT NULL,
  PRIMARY KEY (owner, id)
) STRICT, WITHOUT ROWID;

-- Somebody whom the owner shared with: a policy MAC and a label that only the owner's devices can open.
CREATE TABLE person (
  owner TEXT NOT NULL,
  id TEXT NOT NULL,
  mac TEXT NOT NULL,
  label TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (owner, id)
) STRICT, WITHOUT ROWID;

-- Who may do what with which thing, from when, until when.
CREATE TABLE policy (
  owner TEXT NOT NULL,
  id TEXT NOT NULL,
  resource_id TEXT NOT NULL,
  person_id TEXT NOT NULL,
  mac TEXT NOT NULL,                       -- the person's policy MAC (CLAIMS 5.6)
  scopes TEXT NOT NULL,                    -- JSON array
  valid_from INTEGER,
  valid_until INTEGER,
  time_zone TEXT,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (owner, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX policy_resource ON policy (owner, resource_id);

-- What happened, as a hash chain an owner: hash = SHA-256(previous || seq || at || event || fields_hash), fields_hash =
-- SHA-256(salt || fields). Dropping salt and fields of an entry later leaves the chain whole. Kept for 400 days.
CREATE TABLE activity (
  owner TEXT NOT NULL,
  seq INTEGER NOT NULL,
  at INTEGER NOT NULL,
  event TEXT NOT NULL,
  salt TEXT,
  fields TEXT,                             -- JSON: ids and methods, never an address
  fields_hash TEXT NOT NULL,
  previous TEXT NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (owner, seq)
) STRICT, WITHOUT ROWID;
