// What an owner, her organisation or the platform has decided, as the engine reads it (POLICY 2). Pure data: identifiers, keyed hashes,
// times. What people type (addresses, names) was turned into keyed hashes before; no readable address comes here.

/** Whose rule it is. Only `owner` and `org` can permit; the platform never grants. */
export type Tier = 'owner' | 'org' | 'platform'

/** permit: gives, where its condition holds. forbid: takes, where its condition holds. require: takes, unless its condition holds. */
export type Effect = 'permit' | 'forbid' | 'require'

/** What a rule speaks of. `descend`: also what lies in these things, however deep. */
export type Target =
  | { resources: readonly string[]; descend?: boolean }
  | { types: readonly string[] }
  | { labels: readonly string[] }
  | { all: true }

/** How a client came to be known to this server, and what it has shown of itself. */
export type ClientTrust = 'pushed' | 'pulled' | 'attested' | 'instance_key'

/** What is asked of a verified claim. Strings are policy MACs (CLAIMS 5.6), but for `covers`, which are short plain labels. */
export type ClaimTest =
  | { eq: string }
  | { in: readonly string[] }
  /** An e-mail address of exactly this domain (MAC of the domain). */
  | { domain: string }
  /** The value is a member of a group of the owner. */
  | { group: string }
  /** An ordered claim, such as `acr`. */
  | { gte: number }
  /** A claim that is a set, such as `clearance`: it holds all of these. */
  | { covers: readonly string[] }

/**
 * `iss`: who may vouch (any trusted issuer if absent). `max_age`: how old the proof may be, in seconds. `names`: the organisation whose MACs
 * stand in the test; a proof that was never turned into these neither passes it nor fails it.
 */
export type ClaimCondition = { claim: string; iss?: readonly string[]; max_age?: number; names?: string } & ClaimTest

/** The only logic language. An empty list is false, in every form: nothing demanded never means permitted (UMA Grant 5.6). */
export type Condition =
  | { all: readonly Condition[] }
  | { any: readonly Condition[] }
  | { not: Condition }
  /** In stages: a later one is not told before all earlier ones hold. */
  | { seq: readonly Condition[] }
  | { if: Condition; then: Condition; else: Condition }
  | ClaimCondition
  /** Everybody; must be said in so many words. */
  | { anyone: true }
  /** Whoever has the link: keyed hash of its secret. */
  | { link: string }
  | { purpose: readonly string[] }
  /** From this instant on, and before that one; seconds since 1970. */
  | { after: number }
  | { before: number }
  | { client: readonly string[] }
  | { client_trust: readonly ClientTrust[] }
  /** At most `max` uses counted under `key`, for each requesting party or for all together. */
  | { uses: { key: string; max: number; per: 'rqp' | 'rule' } }
  /** The owner's own answer, each time; `ask` is the id of the rule that asks. */
  | { ask: string }
  /** Whoever asks declares an emergency (break-glass.ts). Only in a permit, and only where the type of the thing declares it. */
  | { break_glass: true }
  /** What the resource server said about this access when it asked for the ticket. */
  | { context: string; eq: string | number | boolean }
  | { context: string; in: readonly (string | number)[] }

/** A condition without conditions in it. */
export type Atom = Exclude<
  Condition,
  { all: unknown } | { any: unknown } | { not: unknown } | { seq: unknown } | { if: unknown; then: unknown; else: unknown }
>

/** What a grant that rests on this permit may be: RPT lifetime in seconds, refresh token, persisted claims, how the owner hears of it. */
export type GrantTerms = { rpt_ttl?: number; refresh?: boolean; pct?: boolean; notify?: 'each' | 'first' | 'never' }

/** `scopes: '*'`: all that the thing offers, now and later. */
export type Policy = {
  v: 1
  id: string
  rev: number
  tier: Tier
  effect: Effect
  target: Target
  scopes: readonly string[] | '*'
  when: Condition
  grant?: GrantTerms
}

/** Whose permit counts for things of a type: the owner's, her organisation's, both together, or either. */
export type Authority = 'owner' | 'org' | 'both' | 'either'

/**
 * A type of things: which scope brings which others along, and who decides. `break_glass`: scopes that can be had in an emergency (POLICY 3);
 * none if it is absent.
 */
export type ThingType = {
  type: string
  implies: Readonly<Record<string, readonly string[]>>
  authority: Authority
  break_glass?: readonly string[] | undefined
  tier?: 'owner' | 'org' | undefined
}

/** A thing as rules see it. `ancestors`: what it lies in, nearest first, at most 16. */
export type Thing = {
  id: string
  scopes: readonly string[]
  type?: string
  labels: readonly string[]
  ancestors: readonly string[]
}
