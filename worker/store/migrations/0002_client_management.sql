-- Management of registrations by their clients (RFC 7592). Readable by versions that know nothing of it.

-- SHA-256 of the registration access token. Absent: registered before there was one; such a client cannot be managed by itself.
ALTER TABLE client ADD COLUMN registration_hash TEXT;

-- Whom a client that goes away was connected to.
CREATE INDEX connection_client ON connection (client_id);
