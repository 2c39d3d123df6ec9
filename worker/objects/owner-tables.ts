// Tables of an owner's object. Record tables have the columns of the D1 record; the others live here only and die by time.
// Times are seconds since 1970. Nothing readable: hashes, keyed hashes, JWEs, ids.
import type { OthersMacs } from '../policy/evidence.ts'

/** Run at every start; each statement is idempotent. No index on times: a sweep an hour may scan, every token request would pay. */
export const SCHEMA = `
CREATE TABLE IF NOT EXISTS meta (k TEXT PRIMARY KEY, v TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS connection (id TEXT PRIMARY KEY, kind TEXT NOT NULL, client_id TEXT NOT NULL, scope TEXT NOT NULL, wrapped_label_key TEXT, created_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS resource (id TEXT PRIMARY KEY, connection_id TEXT NOT NULL, label TEXT, description TEXT NOT NULL, type TEXT, scopes TEXT NOT NULL, created_at INTEGER NOT NULL, parent TEXT, labels TEXT) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS resource_connection ON resource (connection_id, id);
CREATE TABLE IF NOT EXISTS person (id TEXT PRIMARY KEY, mac TEXT NOT NULL, label TEXT NOT NULL, created_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS person_mac ON person (mac);
CREATE TABLE IF NOT EXISTS policy (id TEXT PRIMARY KEY, resource_id TEXT NOT NULL, person_id TEXT NOT NULL, mac TEXT NOT NULL, scopes TEXT NOT NULL, valid_from INTEGER, valid_until INTEGER, time_zone TEXT, created_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS policy_resource ON policy (resource_id);
CREATE INDEX IF NOT EXISTS policy_person ON policy (person_id);
CREATE TABLE IF NOT EXISTS rule (id TEXT PRIMARY KEY, kind TEXT NOT NULL, tier TEXT NOT NULL, effect TEXT NOT NULL, doc TEXT NOT NULL, label TEXT, rev INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS upper_rule (id TEXT PRIMARY KEY, source TEXT NOT NULL, doc TEXT NOT NULL, label TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rule_target (kind TEXT NOT NULL, key TEXT NOT NULL, cuts INTEGER NOT NULL, who TEXT NOT NULL, policy_id TEXT NOT NULL, PRIMARY KEY (kind, key, cuts, who, policy_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS rule_target_policy ON rule_target (policy_id);
CREATE TABLE IF NOT EXISTS rule_past (id TEXT PRIMARY KEY, rule_id TEXT NOT NULL, kind TEXT NOT NULL, rev INTEGER NOT NULL, row TEXT NOT NULL, ended_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS rule_past_rule ON rule_past (rule_id);
CREATE INDEX IF NOT EXISTS rule_past_end ON rule_past (ended_at);
CREATE TABLE IF NOT EXISTS person_group (id TEXT PRIMARY KEY, label TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS group_member (id TEXT PRIMARY KEY, group_id TEXT NOT NULL, mac TEXT NOT NULL, label TEXT NOT NULL, created_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS group_member_group ON group_member (group_id);
CREATE TABLE IF NOT EXISTS thing_type (id TEXT PRIMARY KEY, doc TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS upper_source (source TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS upper_member (id TEXT PRIMARY KEY, source TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS upper_type (type TEXT NOT NULL, source TEXT NOT NULL, doc TEXT NOT NULL, PRIMARY KEY (type, source)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS org_member (id TEXT PRIMARY KEY, joined_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS membership (id TEXT PRIMARY KEY, name TEXT NOT NULL, joined_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS org_sync (member TEXT PRIMARY KEY, seq INTEGER NOT NULL, gone INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS join_code (hash TEXT PRIMARY KEY, exp INTEGER NOT NULL, uses_left INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS use_count (key TEXT NOT NULL, who TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (key, who)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS token (hash TEXT PRIMARY KEY, kind TEXT NOT NULL, connection_id TEXT NOT NULL, client_id TEXT NOT NULL, scope TEXT NOT NULL, jkt TEXT, keep TEXT, origin TEXT, exp INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS token_connection ON token (connection_id);
CREATE TABLE IF NOT EXISTS rpt (hash TEXT PRIMARY KEY, client_id TEXT NOT NULL, connection_id TEXT NOT NULL, jkt TEXT, permissions TEXT NOT NULL, evidence TEXT NOT NULL, created_at INTEGER NOT NULL, exp INTEGER NOT NULL, last_used_at INTEGER, grounds TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS renewal (hash TEXT PRIMARY KEY, client_id TEXT NOT NULL, connection_id TEXT NOT NULL, jkt TEXT, permissions TEXT NOT NULL, evidence TEXT NOT NULL, exp INTEGER NOT NULL, grounds TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS renewed (renewal TEXT NOT NULL, rpt TEXT NOT NULL, PRIMARY KEY (renewal, rpt)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS request (id TEXT PRIMARY KEY, mac TEXT NOT NULL, client_id TEXT NOT NULL, connection_id TEXT NOT NULL, permissions TEXT NOT NULL, label TEXT NOT NULL, line TEXT, method TEXT NOT NULL, state TEXT NOT NULL, created_at INTEGER NOT NULL, exp INTEGER NOT NULL, answered_at INTEGER, used_at INTEGER, polled_at INTEGER, interval INTEGER NOT NULL DEFAULT 5, asks TEXT);
CREATE INDEX IF NOT EXISTS request_mac ON request (mac, client_id);
CREATE TABLE IF NOT EXISTS reliance (client_id TEXT PRIMARY KEY, told INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS standing (connection_id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS client_change (client_id TEXT PRIMARY KEY, seq INTEGER NOT NULL, blocked INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS claim_issuer (id TEXT PRIMARY KEY, issuer TEXT NOT NULL, jwks_uri TEXT, jwks TEXT, formats TEXT NOT NULL, claims TEXT NOT NULL, email_domains TEXT, audiences TEXT NOT NULL, created_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS issuer_reliance (issuer TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS guest_reliance (mac TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS forgotten (mac TEXT NOT NULL, client_id TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (mac, client_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS issuer_change (issuer TEXT PRIMARY KEY, seq INTEGER NOT NULL, blocked INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS spent (jti TEXT PRIMARY KEY, exp INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS brought (jti TEXT PRIMARY KEY, client_id TEXT NOT NULL, rpt TEXT NOT NULL, refresh TEXT, exp INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS brought_pct (jti TEXT PRIMARY KEY, client_id TEXT NOT NULL, hash TEXT NOT NULL, guest TEXT NOT NULL, ending INTEGER, exp INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS repeatable (key TEXT PRIMARY KEY, resource_id TEXT NOT NULL, print TEXT NOT NULL, exp INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS repeatable_resource ON repeatable (resource_id);
CREATE TABLE IF NOT EXISTS session (sid TEXT PRIMARY KEY, created_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fence (seq INTEGER PRIMARY KEY AUTOINCREMENT, rows TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS outbox (seq INTEGER PRIMARY KEY AUTOINCREMENT, change TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS activity (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, event TEXT NOT NULL, salt TEXT, fields TEXT, fields_hash TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL, recorded INTEGER NOT NULL DEFAULT 0);
`

export type TokenRow = {
  hash: string
  /** p: PAT, w: wallet, f: refresh. */
  kind: 'p' | 'w' | 'f'
  connection_id: string
  client_id: string
  scope: string
  jkt: string | null
  /** The connection's key, wrapped for this token: with it a service reads back its own resource descriptions. */
  keep: string | null
  /** jti of the code that it came from; a replayed code takes its tokens along. */
  origin: string | null
  exp: number
}

export type RptRow = {
  hash: string
  client_id: string
  connection_id: string
  jkt: string | null
  /** JSON: GrantedCell[] */
  permissions: string
  /** JSON: GrantEvidence[] */
  evidence: string
  created_at: number
  exp: number
  last_used_at: number | null
  /** JSON: Grounds; null for grants that rest on shares and addresses only. */
  grounds: string | null
}

/** What an RPT rests on, as kept with it. Grants of before know of `email`, with neither issuer nor time. */
export type GrantEvidence = {
  claim: string
  mac: string
  exp: number
  method: string
  iss?: string
  iat?: number
  domain?: string
  level?: number
  holds?: readonly string[]
  /** As in Evidence: whose registration of the issuer it rests on. */
  trust?: string
  /** As in OwnerEvidence: MACs by which rules of organisations know it. */
  also?: readonly OthersMacs[]
}

/** `isAlive`: the token is good, but for something else; or, with `wait`, for so many seconds for nothing, since its app was too fast. */
export type Unauthorized = { kind: 'unauthorized'; isAlive: boolean; wait?: number; client_id?: string }
export const UNAUTHORIZED: Unauthorized = { kind: 'unauthorized', isAlive: false }
export const OTHER_SCOPE: Unauthorized = { kind: 'unauthorized', isAlive: true }
export const NOT_FOUND = { kind: 'not_found' } as const
export type NotFound = typeof NOT_FOUND

/** Drops absent members, so that JSON and exact optional types agree. */
export function compact<T extends Record<string, unknown>>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const left: { [K in keyof T]?: Exclude<T[K], undefined> } = {}
  for (const name of Object.keys(value) as (keyof T)[]) {
    if (value[name] !== undefined) left[name] = value[name] as Exclude<T[keyof T], undefined>
  }
  return left
}
