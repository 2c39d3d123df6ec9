// The owner API (`/owner/*`): JSON that a wallet exchanges with the owner's authorization server.
// OAuth-protected (scope `uma_owner`, DPoP). Wire members are snake_case. No readable address and no readable name ever comes
// out of it: a `label` is a compact JWE (ECDH-ES, A256GCM) to the owner's label key, which only the owner's devices can open.
import * as v from 'valibot'
import { clientKnown } from './oauth.ts'
import { grantTerms, policyCondition } from './owner-policy.ts'
import { scopeDescription } from './uma-federation.ts'

/** OAuth scope of a wallet's access token. */
export const OWNER_SCOPE = 'uma_owner'

const id = v.pipe(v.string(), v.minLength(1), v.maxLength(128))
/** Seconds since 1970. */
const instant = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(253_402_300_799))
/** Compact JWE, plaintext is JSON (`ThingLabel`, `PersonLabel`). */
const label = v.pipe(v.string(), v.regex(/^[\w-]+(\.[\w-]*){4}$/), v.maxLength(8192))

/** Plaintext inside the label of a resource. */
export const thingLabel = v.object({ name: v.optional(v.string()), description: v.optional(v.string()), icon_uri: v.optional(v.string()) })
export type ThingLabel = v.InferOutput<typeof thingLabel>

/** Plaintext inside the label of a person. */
export const personLabel = v.object({ email: v.string(), name: v.optional(v.string()) })
export type PersonLabel = v.InferOutput<typeof personLabel>

/** GET /owner/me : who is signed in here. `label` holds the owner's own address (PersonLabel). */
export const owner = v.object({
  id,
  label: v.optional(label),
  /** Public half of the owner's label key (P-256, ECDH). */
  label_key: v.record(v.string(), v.unknown()),
  /** The private half (a JWK as JSON) as compact JWE to this wallet's own key, if it could be handed over; see `label_jwk`. */
  wrapped_label_key: v.optional(v.string()),
  /** Grows with every change; equal revision means nothing changed. */
  revision: v.number(),
})
export type Owner = v.InferOutput<typeof owner>

/** GET /owner/connections : services (resource servers) and wallets that the owner connected. */
export const connection = v.object({
  id,
  kind: v.picklist(['service', 'wallet']),
  client_id: v.string(),
  /** As the client registered it: unverified text. */
  client_name: v.string(),
  client_uri: v.optional(v.string()),
  /** How the server came to know it. */
  client_known: v.optional(clientKnown),
  created_at: instant,
  last_used_at: v.optional(instant),
  /** True for the wallet that asks. */
  current: v.optional(v.boolean()),
  /** True for a service that gets its tokens by itself, without the owner's browser (grant type client_credentials). */
  acts_by_itself: v.optional(v.boolean()),
})
export type Connection = v.InferOutput<typeof connection>

/** GET /owner/resources : things that services registered. */
export const resource = v.object({
  id,
  connection_id: id,
  service_name: v.string(),
  label: v.optional(label),
  type: v.optional(v.string()),
  resource_scopes: v.array(v.string()),
  /** Of scopes that are addresses: what the documents there say (UMA FedAuthz 3.1.1), as far as they were read; unverified. */
  scope_descriptions: v.optional(v.record(v.string(), scopeDescription)),
  created_at: instant,
  /** How many shares now open it (not expired). */
  share_count: v.number(),
})
export type Resource = v.InferOutput<typeof resource>

/** GET /owner/people */
export const person = v.object({ id, label, share_count: v.number(), created_at: instant, last_seen_at: v.optional(instant) })
export type Person = v.InferOutput<typeof person>

/** One share: this person may do this with this thing from/until. The server calls it a policy. */
export const policy = v.object({
  id,
  resource_id: id,
  person_id: id,
  resource_scopes: v.array(v.string()),
  /** What those bring along, because the type of the thing says so (`implies`); the sentence says it. */
  along: v.optional(v.array(v.string())),
  /** Instants; a share without `until` lasts until it is stopped. */
  from: v.optional(instant),
  until: v.optional(instant),
  /** IANA time zone in which the owner chose `from`/`until`; for showing them again. */
  time_zone: v.optional(v.string()),
  created_at: instant,
  /** The sentence that is enforced, with placeholders {person} and {thing} which the wallet fills from the labels. */
  sentence: v.string(),
  state: v.picklist(['active', 'not_yet', 'over']),
  last_used_at: v.optional(instant),
})
export type Policy = v.InferOutput<typeof policy>

/** POST /owner/policies -> 201 Policy. The address is turned into a keyed hash and forgotten; it is never stored. */
export const policyRequest = v.strictObject({
  resource_id: id,
  /** Either an address, or a person that the owner shared with before. */
  person: v.union([
    v.strictObject({ email: v.pipe(v.string(), v.minLength(3), v.maxLength(320)), label: v.optional(label) }),
    v.strictObject({ id }),
  ]),
  resource_scopes: v.pipe(v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(256))), v.minLength(1), v.maxLength(64)),
  from: v.optional(instant),
  until: v.optional(instant),
  time_zone: v.optional(v.pipe(v.string(), v.maxLength(64))),
})
export type PolicyRequest = v.InferOutput<typeof policyRequest>

/** GET /owner/activity?before=<seq>&limit=<n> -> newest first. */
export const activityEntry = v.object({
  seq: v.number(),
  at: instant,
  event: v.picklist([
    'signed_in',
    'service_connected',
    'wallet_connected',
    'disconnected',
    'resource_registered',
    'resource_deleted',
    'share_created',
    'share_stopped',
    'access_granted',
    // Somebody was let in because of an emergency (`policy_id`: the rule for it); the owner is told each time.
    'glass_broken',
    'access_denied',
    'access_used',
    'ticket_replayed',
    // A token that lets an app skip the question was presented by another app, or after it had ended.
    'proof_refused',
    // A guest let the server forget a proof; grants that rested on it have ended.
    'proof_forgotten',
    // Somebody with whom a thing is not shared asks for it; the owner's answer; the guest took it back.
    'request_received',
    'request_answered',
    'request_withdrawn',
    'account_deleted',
    // The owner takes the word of an issuer (`claim_issuer`), or no longer.
    // Rules that are no plain shares (owner-policy.ts): saved, dropped, brought back (a share, too); somebody's address was shut out.
    'rule_saved',
    'rule_dropped',
    'rule_restored',
    'person_blocked',
    // The same for groups of people and for types of things (`group_id`, `thing_type`), and many rules at once from a bundle (`count`).
    'group_saved',
    'group_dropped',
    'group_restored',
    'type_saved',
    'type_dropped',
    'type_restored',
    'rules_imported',
    // The owner joined an organisation, left it or was let go; its rules, or the platform's, have changed.
    'organisation_joined',
    'organisation_left',
    'upper_rules_changed',
    'issuer_trusted',
    'issuer_distrusted',
  ]),
  resource_id: v.optional(id),
  person_id: v.optional(id),
  policy_id: v.optional(id),
  connection_id: v.optional(id),
  client_id: v.optional(v.string()),
  client_name: v.optional(v.string()),
  resource_scopes: v.optional(v.array(v.string())),
  /**
   * How the requesting party showed it: `email-code`, `dc+sd-jwt`, `pct` (remembered with leave), `rpt` (for the RPT of before, nothing new), `sign-in` (the owner), `id-token` and `jwt` (an issuer says so).
   */
  method: v.optional(v.string()),
  claim_issuer: v.optional(v.string()),
  group_id: v.optional(id),
  thing_type: v.optional(v.string()),
  count: v.optional(v.number()),
  /** Of `request_received`, `request_answered`, `request_withdrawn`; what the owner said. */
  request_id: v.optional(id),
  decision: v.optional(v.string()),
  /** Of access given or refused: every thing, with the rules that gave it and until when they did; `more_cells`: so many more. */
  cells: v.optional(
    v.array(
      v.object({
        resource_id: id,
        resource_scopes: v.array(v.string()),
        policies: v.optional(v.array(v.string())),
        until: v.optional(v.number()),
      }),
    ),
  ),
  more_cells: v.optional(v.number()),
  /** What was shown for it, and who vouched. */
  proofs: v.optional(v.array(v.object({ claim: v.string(), iss: v.string() }))),
})
export type ActivityEntry = v.InferOutput<typeof activityEntry>

/** Plaintext inside the line that somebody wrote to the owner. */
export const requestLine = v.object({ line: v.string() })
export type RequestLine = v.InferOutput<typeof requestLine>

/** GET /owner/requests : somebody has shown an address with which a thing is not shared, and asks. Newest first, answered ones too. */
export const accessRequest = v.object({
  id,
  state: v.picklist(['waiting', 'allowed', 'used', 'kept', 'denied']),
  /** The address (PersonLabel) and what was written (RequestLine), sealed to the owner's label key. */
  label,
  line: v.optional(label),
  /** The person, if something is shared with this address. */
  person_id: v.optional(id),
  /** What was asked for; of an allowed one what was given. */
  permissions: v.array(v.object({ resource_id: id, resource_scopes: v.array(v.string()) })),
  connection_id: id,
  /** The app through which; unverified text. */
  client_id: v.string(),
  client_name: v.string(),
  client_uri: v.optional(v.string()),
  /** How the server came to know it. */
  client_known: v.optional(clientKnown),
  /** How the address was shown: `email-code`, `dc+sd-jwt`. */
  method: v.string(),
  created_at: instant,
  expires_at: instant,
  answered_at: v.optional(instant),
  /** Of an answer that gives several things: those that could not be given, while others were. `unavailable` may be tried again by a share. */
  failed: v.optional(v.array(v.object({ resource_id: id, reason: v.string() }))),
})
export type AccessRequest = v.InferOutput<typeof accessRequest>

/**
 * POST /owner/requests/{id} -> AccessRequest. `allow`: once; `keep`: adds a share; `offer`: adds a rule that gives something else, or wants
 * more, of which a client that waits hears at its next poll; `deny`: no, also after one of the others; `block`: no, and nothing of this owner
 * is for this address any more (a rule of the kind `block`, which can be dropped).
 */
export const requestDecision = v.strictObject({
  decision: v.picklist(['allow', 'keep', 'offer', 'deny', 'block']),
  /** An offer of something else; without it what was asked for. `allow` gives no more than that in any case. */
  resource_scopes: v.optional(v.pipe(v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(256))), v.minLength(1), v.maxLength(64))),
  /** Of `keep` and `offer`: until when. */
  until: v.optional(instant),
  time_zone: v.optional(v.pipe(v.string(), v.maxLength(64))),
  /** Of `offer`: what has to hold besides the address, and terms of the grant. */
  when: v.optional(v.pipe(v.array(policyCondition), v.minLength(1), v.maxLength(16))),
  grant: v.optional(grantTerms),
})
export type RequestDecision = v.InferOutput<typeof requestDecision>

/**
 * GET and PUT /owner/settings. `lets_people_ask`: somebody with a proved address that does not fit may ask. `revoke_on_replay`: a permission
 * ticket that is presented again ends what it has brought (UMA Grant 5.5).
 */
export const ownerSettings = v.object({ lets_people_ask: v.boolean(), revoke_on_replay: v.optional(v.boolean()) })
export type OwnerSettings = v.InferOutput<typeof ownerSettings>

/** PUT /owner/settings: what is left out stays as it is. */
export const ownerSettingsChange = v.strictObject({
  lets_people_ask: v.optional(v.boolean()),
  revoke_on_replay: v.optional(v.boolean()),
})
export type OwnerSettingsChange = v.InferOutput<typeof ownerSettingsChange>

const name = v.pipe(v.string(), v.minLength(1), v.maxLength(255))
const many = <S extends v.GenericSchema>(item: S, max: number) => v.pipe(v.array(item), v.minLength(1), v.maxLength(max))

/**
 * POST /owner/issuers -> 201 ClaimIssuer: from now on this server takes the word of `issuer` about people who want to open this owner's things.
 * `jwks_uri` or `jwks`, or neither: then the server asks the issuer (OpenID Connect Discovery 4, RFC 8414). `audiences`: client id at this server -> the ids under which the issuer knows the same client; an ID token
 * counts only from a client that is in it (UMA Grant 5.7). `email_domains`: its word about addresses counts for these domains only.
 */
export const claimIssuerRequest = v.strictObject({
  /** To the letter as in `iss` of its tokens. */
  issuer: name,
  jwks_uri: v.optional(v.pipe(v.string(), v.maxLength(2048))),
  jwks: v.optional(v.record(v.string(), v.unknown())),
  /** `claim_token_format` in which it is heard. */
  formats: many(name, 8),
  /** Claims that it may speak for: `email`, `acr`, `country`, ... */
  claims: many(v.pipe(v.string(), v.regex(/^[a-z][a-z0-9_]{0,63}$/)), 16),
  email_domains: v.optional(many(name, 32)),
  audiences: v.optional(v.pipe(v.record(v.pipe(v.string(), v.minLength(1), v.maxLength(2048)), many(name, 8)), v.maxEntries(32))),
})
export type ClaimIssuerRequest = v.InferOutput<typeof claimIssuerRequest>

/** POST /owner/issuers/refused -> 201 ClaimIssuer: the word of this issuer does not count for this owner, although the operator takes it. */
export const refusedIssuerRequest = v.strictObject({ issuer: name })

/** GET /owner/issuers : whose word counts. `by` `operator`: for everybody on this server, and not the owner's to take out (no `id`). */
export const claimIssuer = v.object({
  id: v.optional(id),
  by: v.picklist(['owner', 'operator']),
  /** True: its word does not count, whatever the operator says. */
  refused: v.optional(v.boolean()),
  issuer: v.string(),
  jwks_uri: v.optional(v.string()),
  jwks: v.optional(v.record(v.string(), v.unknown())),
  formats: v.array(v.string()),
  claims: v.array(v.string()),
  email_domains: v.optional(v.array(v.string())),
  audiences: v.record(v.string(), v.array(v.string())),
  created_at: instant,
})
export type ClaimIssuer = v.InferOutput<typeof claimIssuer>

/** POST /owner/live -> code for `GET /owner/live?code=` (WebSocket). Text frames are JSON `LiveNotice`. */
export const liveTicket = v.object({ code: v.string(), expires_in: v.number() })
/** Something changed: `revision` is the new one; `activity` carries the entry when one was written. */
export const liveNotice = v.object({ kind: v.picklist(['changed', 'activity']), revision: v.number(), activity: v.optional(activityEntry) })
export type LiveNotice = v.InferOutput<typeof liveNotice>

/** Lists come as `{ items, next? }`; `next` is passed back as `?cursor=`. */
export type Page<T> = { items: T[]; next?: string }

/*
 | call | answer |
 |---|---|
 | GET    /owner/me | Owner |
 | GET    /owner/connections | Page<Connection> |
 | DELETE /owner/connections/{id} | 204; its tokens and (for a service) its resources' shares die at once |
 | GET    /owner/resources[?cursor=] | Page<Resource> |
 | GET    /owner/people | Page<Person> |
 | GET    /owner/policies[?resource_id=&person_id=&cursor=] | Page<Policy> |
 | POST   /owner/policies | 201 Policy |
 | DELETE /owner/policies/{id} | 204, idempotent; the next request with a live token is refused ("stop sharing") |
 | DELETE /owner/resources/{id}/policies | 204; stops every share of the thing |
 | GET    /owner/activity[?before=&limit=] | Page<ActivityEntry> |
 | GET    /owner/requests | Page<AccessRequest>; live notices: activity `request_received`, `request_answered`, `request_withdrawn` |
 | POST   /owner/requests/{id} | AccessRequest; 404 withdrawn or over, 400 nothing left to give, 409 answered already |
 | GET    /owner/settings | OwnerSettings |
 | PUT    /owner/settings | OwnerSettings; body OwnerSettingsChange |
 | GET    /owner/issuers | Page<ClaimIssuer> |
 | POST   /owner/issuers | 201 ClaimIssuer; 409 registered already |
 | POST   /owner/issuers/refused | 201 ClaimIssuer; what rests on its word ends at once; 409 registered already |
 | DELETE /owner/issuers/{id} | 204; what rests on its word ends at once; a refusal is taken back |
 | POST   /owner/live | LiveTicket |
 | GET    /owner/live?code= | WebSocket |
 | rules of any kind, groups, questions, organisations | owner-policy.ts |
 Errors: OAuth form {error, error_description}: invalid_request 400, invalid_token 401, insufficient_scope 403, not_found 404.
 Every GET carries an ETag made of the revision and answers 304 to If-None-Match.
*/
